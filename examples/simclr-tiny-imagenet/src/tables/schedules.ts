import { constantSchedule, epochCosine, type Schedule, warmupCosine } from '@tfjs-ssl/trainer';

interface ScheduleSettings {
  readonly learningRate: number;
  readonly warmupEpochs: number;
  readonly warmupSteps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** The schedules by name: to add one, add its line. */
export const schedules = {
  constant: ({ learningRate }) => constantSchedule({ learningRate }),
  /** Linear warm-up, then a cosine to 0 at the last step. */
  cosine({ learningRate, warmupEpochs, warmupSteps: more, epochs, stepsPerEpoch }) {
    const totalSteps = epochs * stepsPerEpoch;
    const warmupSteps = Math.min(warmupEpochs * stepsPerEpoch + more, Math.floor(totalSteps / 5));
    return warmupCosine({ learningRate, warmupSteps, totalSteps });
  },
  /** The paper's: it changes once per epoch, from the eleventh on, and its "T_max" is the number of steps of an epoch. */
  epochCosine: ({ learningRate, stepsPerEpoch }) =>
    epochCosine({ learningRate, stepsPerEpoch, epochs: stepsPerEpoch, firstEpoch: 10 }),
} as const satisfies Record<string, (settings: ScheduleSettings) => Schedule>;

/** Schedules that depend on the number of epochs: a run with one of them cannot be made longer. */
export const boundToEpochs: readonly string[] = ['cosine'];
