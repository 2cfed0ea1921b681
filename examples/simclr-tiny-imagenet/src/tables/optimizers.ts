import { adam, adamW, lars, type Optimizer, sgd } from '@tfjs-ssl/trainer';

interface OptimizerSettings {
  readonly weightDecay: number;
  readonly momentum: number;
}

/** The optimizers by name: to add one, add its line. */
export const optimizers = {
  adam: ({ weightDecay }) => adam({ weightDecay }),
  adamw: ({ weightDecay }) => adamW({ weightDecay }),
  sgd: ({ weightDecay, momentum }) => sgd({ weightDecay, momentum }),
  lars: ({ weightDecay, momentum }) => lars({ weightDecay, momentum }),
} as const satisfies Record<string, (settings: OptimizerSettings) => Optimizer>;

/** Optimizers that have a momentum. */
export const withMomentum: readonly string[] = ['sgd', 'lars'];

/** Learning rates that depend on the batch: SimCLR's for LARS (appendix B.1, small batches), MoCo's for SGD. */
export const rateOfBatch: Readonly<Record<string, (batchSize: number) => number>> = {
  lars: (batchSize) => 0.075 * Math.sqrt(batchSize),
  sgd: (batchSize) => (0.03 * batchSize) / 256,
};
