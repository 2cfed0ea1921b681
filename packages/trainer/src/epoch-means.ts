import type { EpochEvent, Seconds, StepRecord } from './events.ts';
import { mean } from './tenths.ts';

/**
 * Means and sums of an epoch's steps.
 *
 * @param records - the steps of one epoch in order, at least one; all with the same metrics.
 * @param imagesPerStep - images in a batch.
 */
export function summarizeEpoch<Metric extends string>(
  records: readonly StepRecord<Metric>[],
  imagesPerStep: number,
): EpochEvent<Metric> {
  const last = records.at(-1) as StepRecord<Metric>;
  const total = (part: keyof Seconds): number => records.reduce((sum, { seconds }) => sum + seconds[part], 0);
  const seconds = { load: total('load'), prepare: total('prepare'), step: total('step') };
  const names = Object.keys(last.metrics) as Metric[];
  const metrics = names.map((name) => [name, mean(records.map((record) => record.metrics[name]))]);
  return {
    type: 'epoch',
    epoch: last.epoch,
    stepsDone: last.step + 1,
    steps: records.length,
    loss: mean(records.map(({ loss }) => loss)),
    metrics: Object.fromEntries(metrics),
    learningRate: last.learningRate,
    ...(last.skipped === undefined ? {} : { skippedSteps: records.filter(({ skipped }) => skipped).length }),
    seconds,
    imagesPerSecond: (records.length * imagesPerStep) / (seconds.load + seconds.prepare + seconds.step),
  };
}
