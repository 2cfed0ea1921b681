import { cli, exitCode } from './cli.ts';

const controller = new AbortController();
process.on('SIGINT', () => {
  if (controller.signal.aborted) process.exit(exitCode.interrupted);
  controller.abort();
  process.stderr.write(
    '\nStopping; a run that trains ends its step and writes a checkpoint first. Ctrl-C again stops at once.\n',
  );
});
process.exitCode = await cli(process.argv.slice(2), process, controller.signal);
