import type { StepRecord } from '@tfjs-ssl/trainer';
import type { Curve } from './charts/curves.ts';
import type { EpochMeans } from './epochs.ts';
import type { Report } from './report.ts';
import type { Point } from './series.ts';

/** The steps of a run, and how many make an epoch. */
export type Steps = Pick<Report, 'records' | 'stepsPerEpoch'>;

/** A value of each step over epochs. */
export const overEpochs = ({ records, stepsPerEpoch }: Steps, value: (record: StepRecord) => number): Point[] =>
  records.map((record) => ({ x: (record.step + 1) / stepsPerEpoch, y: value(record) }));

/** A mean of each epoch, in the middle of its steps. */
export const inTheMiddle = (
  epochs: readonly EpochMeans[],
  stepsPerEpoch: number,
  value: (epoch: EpochMeans) => number,
): Point[] => epochs.map((epoch) => ({ x: epoch.epoch + epoch.steps / stepsPerEpoch / 2, y: value(epoch) }));

/** The loss of each step and its means. */
export const lossOver = (epochs: readonly EpochMeans[], steps: Steps): Curve => ({
  points: overEpochs(steps, ({ loss }) => loss),
  means: inTheMiddle(epochs, steps.stepsPerEpoch, ({ loss }) => loss),
});
