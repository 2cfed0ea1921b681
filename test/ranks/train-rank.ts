// One rank of a training, as a thread (its seat in workerData) or as a process of an MPI job. The first rank writes what it saw to a file.
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { generatedImages } from '@tfjs-ssl/datasets';
import { registerEngine, startEngine } from '@tfjs-ssl/engine';
import { cpuEngine } from '@tfjs-ssl/engine-cpu';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import { tensorflowEngine } from '@tfjs-ssl/engine-tensorflow';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { imageFeed } from '@tfjs-ssl/feed';
import { namedWeights } from '@tfjs-ssl/layers';
import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
import { openMpi } from '@tfjs-ssl/mpi';
import { gatherViews } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { constantSchedule, sgd, Trainer, type TrainerState } from '@tfjs-ssl/trainer';
import { type ThreadSeat, threadWorld } from './thread-world.ts';

/** What to train. */
export interface RankTask {
  readonly engine: string;
  /** A ResNet-18, or two layers with batch norm on the pixels. */
  readonly encoder: 'resnet18' | 'two layers';
  readonly steps: number;
  readonly out: string;
  readonly batchStatistics?: 'batch' | 'rank';
  /** Whose images the loss compares: those of all ranks, or those of each. Default: all. */
  readonly negatives?: 'rank';
  readonly precision?: 'float32' | 'mixed';
  readonly gradientExchange?: 'float32' | 'bfloat16';
  /** Whether this rank stops after so many steps, and which. */
  readonly stops?: { readonly rank: number; readonly after: number };
  /** Steps after which the run goes on in a new trainer from the first rank's state. */
  readonly resumeAfter?: readonly number[];
  /** Something that one rank does otherwise. */
  readonly odd?: 'seed' | 'buffer' | 'learning rate' | 'batch size' | 'overflow';
}

/** What the first rank saw. */
export interface RankOutcome {
  readonly losses: number[];
  readonly accuracies: number[];
  /** Whether each step was skipped, in mixed precision. */
  readonly skipped: boolean[];
  readonly stepsDone: number;
  /** Gradients of the first step and buffers after it, and all variables after the last. */
  readonly gradients: Record<string, number[]>;
  readonly statistics: Record<string, number[]>;
  readonly variables: Record<string, number[]>;
}

const seat: (ThreadSeat & { readonly task: RankTask }) | null = workerData;
const task: RankTask = seat?.task ?? JSON.parse(process.argv[2] as string);
const mpi = seat ? null : await openMpi();
const world = seat ? threadWorld(seat) : (mpi as NonNullable<typeof mpi>);
const isOdd = (what: RankTask['odd']): boolean => task.odd === what && world.rank === world.size - 1;

registerEngine(cpuEngine);
registerEngine(simdEngine);
registerEngine(tensorflowEngine);
registerEngine(webgpuEngine);
await startEngine(task.engine, { threads: 1 });

const size = task.encoder === 'resnet18' ? 32 : 16;
const images = generatedImages({ classes: 4, imagesPerClass: 16, size, seed: 3 });
const feed = await imageFeed(images, {
  chain: simclrChain({ size }),
  batchSize: isOdd('batch size') ? 2 * world.size : 16,
  seed: isOdd('seed') ? 6 : 5,
  world,
});
const seed = isOdd('seed') ? 2 : 1;
const [encoder, featureSize] =
  task.encoder === 'resnet18'
    ? [resnet18({ inputShape: [size, size, 3], width: 8, seed }), 64]
    : [mlpHead({ inputSize: size * size * 3, hiddenSizes: [64], outputSize: 32, batchNorm: 'all', seed }), 32];
const head = mlpHead({ inputSize: featureSize, hiddenSizes: [32], outputSize: 16, batchNorm: 'hidden', seed: 1 });
const named = namedWeights({ encoder, head });
const odd = tf.variable(tf.scalar(0), false);

const trainerOf = () =>
  new Trainer({
    parameters: named.parameters,
    buffers: { ...named.buffers, odd },
    inputs: feed.specs,
    loss(inputs) {
      const views = feed.views(inputs);
      const given = task.encoder === 'resnet18' ? views : tf.reshape(views, [views.shape[0], -1]);
      const projections = head.apply(encoder.apply(given, { training: true }), { training: true });
      const compared = task.negatives === 'rank' ? projections : gatherViews(projections);
      const { loss, ranks } = ntXentWithRanks(compared, { temperature: 0.5 });
      if (isOdd('buffer')) odd.assign(tf.scalar(world.rank));
      // beyond float16 and, times its scale, beyond float32
      const scaled = isOdd('overflow') ? tf.mul(loss, 1e37) : loss;
      return { loss: scaled, metrics: { accuracy: contrastiveAccuracy(ranks, 1) } };
    },
    optimizer: sgd({ momentum: isOdd('learning rate') ? 0.8 : 0.9 }),
    schedule: constantSchedule({ learningRate: 0.05 }),
    world,
    ...(task.precision && { precision: task.precision }),
    ...(task.batchStatistics && { batchStatistics: task.batchStatistics }),
    ...(task.gradientExchange && { gradientExchange: task.gradientExchange }),
  });

const outcome: { -readonly [Name in keyof RankOutcome]: RankOutcome[Name] } = {
  losses: [],
  accuracies: [],
  skipped: [],
  stepsDone: 0,
  gradients: {},
  statistics: {},
  variables: {},
};
/** Of the variables of a state, those whose names begin so. */
const within = ({ tensors }: TrainerState, ...beginnings: string[]): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => beginnings.some((beginning) => name.startsWith(beginning)))
      .map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
const isBuffer = Object.keys(named.buffers).map((name) => `model.${name}`);

const epochs = Math.ceil(task.steps / feed.stepsPerEpoch);
let state: TrainerState | null = null;
for (const until of [...(task.resumeAfter ?? []), Number.POSITIVE_INFINITY]) {
  const stop = new AbortController();
  const trainer = trainerOf();
  if (state && world.rank === 0) trainer.restore(state);
  for await (const event of trainer.fit({ epochs, ...feed, signal: stop.signal, checkTensors: true })) {
    if (event.type !== 'step') continue;
    const done = outcome.losses.push(event.loss);
    outcome.accuracies.push(event.metrics.accuracy);
    outcome.skipped.push(event.skipped === true);
    if (event.step === 0) {
      const first = await trainer.snapshot();
      // the first momentum is the gradient itself
      outcome.gradients = within(first, 'optimizer.');
      outcome.statistics = within(first, ...isBuffer);
    }
    if (done === until || (task.stops?.rank === world.rank && done === task.stops.after)) stop.abort();
  }
  state = await trainer.snapshot();
  outcome.stepsDone = trainer.stepsDone;
  trainer.dispose();
}
outcome.variables = within(state as TrainerState, 'model.', 'optimizer.', 'lossScale.');
if (world.rank === 0) writeFileSync(task.out, JSON.stringify(outcome));
mpi?.finalize();
