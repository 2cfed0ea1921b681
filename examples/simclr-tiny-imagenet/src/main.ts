import { cli, exitCode } from './cli.ts';

const controller = new AbortController();

/** Ends the run after the current step, with a checkpoint. A second call ends it at once. */
function stop(): void {
  if (controller.signal.aborted) process.exit(exitCode.interrupted);
  controller.abort();
  process.stderr.write(
    '\nStopping. A training run finishes its step and writes a checkpoint first. Press Ctrl-C again to stop at once.\n',
  );
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

// The reader has gone (`| head`, a closed terminal). Nothing more can be printed, but the steps can be saved.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => controller.abort());

process.exitCode = await cli(process.argv.slice(2), process, controller.signal);
