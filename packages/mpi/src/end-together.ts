/** A process that ends its job if it ends itself. */
export interface Member {
  /** What its messages begin with. */
  readonly name: string;
  /** Ends all processes of the job. */
  readonly abort: (code: number) => void;
}

/** Milliseconds that the launcher needs to pass on what a rank has printed; what it has not passed on when the job ends is lost. */
const passingOn = 1000;

/**
 * Ends the whole job if this process ends before `finalize`: the others would wait for it for ever.
 *
 * @returns what says that the process has left the job in order, and what ends the job with a message.
 */
export function endTogether({ name, abort }: Member): {
  left(): void;
  end(message: string, code: number): never;
} {
  const end = (message: string, code: number): never => {
    left();
    process.stderr.write(`${name}${message}\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, passingOn);
    abort(code);
    process.exit(code); // the library may return; the launcher ends the others
  };
  // Node prints the error only after the event `exit`, which is too late
  const onError = (error: unknown): void => {
    if (process.listenerCount('uncaughtException') > 0) return; // the program goes on
    end(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
  };
  const onExit = (code: number): void => {
    if (code !== 0) end(`the program ended with code ${code}, and with it the job.`, code);
    end('the program ended without mpi.finalize(). Call it as the last thing on every rank.', 1);
  };
  const left = (): void => {
    process.off('uncaughtExceptionMonitor', onError);
    process.off('exit', onExit);
  };
  process.on('uncaughtExceptionMonitor', onError);
  process.on('exit', onExit);
  return { left, end };
}
