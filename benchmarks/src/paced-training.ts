/** A training that waits after each step until it is told to go on, so that several can take turns. */
export interface PacedTraining {
  readonly name: string;
  /** Lets it take so many steps; returns the seconds that they took. */
  steps(count: number): Promise<number>;
  /** Ends it where it is. */
  stop(): Promise<void>;
}

/** Ends a training from within its listener. */
class Stopped extends Error {}

/**
 * Starts a training.
 *
 * @param train - trains, and awaits the listener at every event.
 * @returns once its first step is done.
 * @throws what the training throws.
 */
export async function startPaced(
  name: string,
  train: (onEvent: (event: { readonly type: string }) => void | Promise<void>) => Promise<unknown>,
): Promise<PacedTraining> {
  let goOn: (error?: Error) => void = () => {};
  let arrive: () => void = () => {};
  const arrival = (): Promise<void> => new Promise((resolve) => (arrive = resolve));
  let arrived = arrival();
  const training = train(({ type }) => {
    if (type !== 'step') return;
    return new Promise((resolve, reject) => {
      goOn = (error) => (error ? reject(error) : resolve());
      arrive();
    });
  });
  const ended = training.then(
    () => {
      throw new Error(`${name} must train until it is stopped, but ended. Give it more epochs.`);
    },
    (error) => {
      if (!(error instanceof Stopped)) throw error;
    },
  );
  await Promise.race([arrived, ended]);
  return {
    name,
    async steps(count) {
      const start = performance.now();
      for (let i = 0; i < count; i++) {
        arrived = arrival();
        goOn();
        await Promise.race([arrived, ended]);
      }
      return (performance.now() - start) / 1000;
    },
    async stop() {
      goOn(new Stopped());
      await ended;
    },
  };
}
