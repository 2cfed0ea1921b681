import type { Seconds, StepRecord } from '@tfjs-ssl/trainer';
import { mean } from './series.ts';

/** Means over the steps of an epoch. */
export interface EpochMeans {
  /** From 0. */
  readonly epoch: number;
  readonly steps: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of its last step. */
  readonly learningRate: number;
  /** Steps without an update because a gradient overflowed; in mixed precision only. */
  readonly skippedSteps?: number;
  /** Of one step. */
  readonly seconds: Seconds;
}

/** The means of each epoch that has steps, the last one perhaps not all of them. */
export function epochMeans(records: readonly StepRecord[]): EpochMeans[] {
  const byEpoch = new Map<number, StepRecord[]>();
  for (const record of records) {
    const steps = byEpoch.get(record.epoch);
    if (steps) steps.push(record);
    else byEpoch.set(record.epoch, [record]);
  }
  return [...byEpoch].map(([epoch, steps]) => {
    const of = (value: (record: StepRecord) => number) => mean(steps.map(value));
    const last = steps.at(-1) as StepRecord;
    const names = Object.keys(last.metrics);
    return {
      epoch,
      steps: steps.length,
      loss: of(({ loss }) => loss),
      metrics: Object.fromEntries(names.map((name) => [name, of(({ metrics }) => metrics[name] as number)])),
      learningRate: last.learningRate,
      ...(last.skipped === undefined ? {} : { skippedSteps: steps.filter(({ skipped }) => skipped).length }),
      seconds: {
        load: of(({ seconds }) => seconds.load),
        prepare: of(({ seconds }) => seconds.prepare),
        step: of(({ seconds }) => seconds.step),
      },
    };
  });
}
