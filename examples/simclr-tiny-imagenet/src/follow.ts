import type { Experiment } from './open.ts';

/** Whether a run is evaluated after an epoch, from 0. */
export function isEvaluatedAfter(
  epoch: number,
  { options, settings }: Pick<Experiment, 'options' | 'settings'>,
): boolean {
  const done = epoch + 1;
  return options.evaluateEvery !== undefined && done % options.evaluateEvery === 0 && done < settings.epochs;
}

/**
 * What a rank does that is not the first: it takes its part of every step, and waits while the first one evaluates.
 *
 * @returns how the training has ended.
 */
export async function follow(run: Experiment): Promise<'done' | 'interrupted'> {
  const { settings, trainer, feed, signal, job } = run;
  await job.meet(); // the first rank has evaluated the untrained encoder and restored the last checkpoint, which `fit` gives to all
  for await (const event of trainer.fit({ ...feed, epochs: settings.epochs, signal })) {
    if (event.type === 'epoch' && isEvaluatedAfter(event.epoch, run)) await job.meet();
    else if (event.type === 'interrupted') return 'interrupted';
  }
  return 'done';
}
