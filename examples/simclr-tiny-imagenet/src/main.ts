import { cli, exitCode } from './cli.ts';

const controller = new AbortController();

/** Ends the run after its step, with a checkpoint; asked a second time, at once. */
function stop(): void {
  if (controller.signal.aborted) process.exit(exitCode.interrupted);
  controller.abort();
  process.stderr.write(
    '\nStopping; a run that trains ends its step and writes a checkpoint first. Ctrl-C again stops at once.\n',
  );
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

// Nobody reads any more (`| head`, a terminal that is gone): there is nobody to tell, but steps to save.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => controller.abort());

process.exitCode = await cli(process.argv.slice(2), process, controller.signal);
