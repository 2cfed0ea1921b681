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
import { imageFeed } from '@tfjs-ssl/feed';
import { namedWeights } from '@tfjs-ssl/layers';
import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
import { openMpi } from '@tfjs-ssl/mpi';
import { gatherViews } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { constantSchedule, type NamedTensors, type Optimizer, sgd, Trainer } from '@tfjs-ssl/trainer';
import { type ThreadSeat, threadWorld } from './thread-world.ts';

/** What to train. */
export interface RankTask {
  readonly engine: string;
  /** A ResNet-18, or two layers with batch norm on the pixels. */
  readonly encoder: 'resnet18' | 'two layers';
  readonly steps: number;
  readonly out: string;
  readonly batchStatistics?: 'batch' | 'rank';
  readonly gradientExchange?: 'float32' | 'bfloat16';
  /** Whether this rank stops after so many steps, and which. */
  readonly stops?: { readonly rank: number; readonly after: number };
  /** Something that one rank does otherwise. */
  readonly odd?: 'seed' | 'buffer' | 'learning rate' | 'batch size';
}

/** What the first rank saw. */
export interface RankOutcome {
  readonly losses: number[];
  readonly accuracies: number[];
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

const gradients: Record<string, number[]> = {};
const plain = sgd({ momentum: isOdd('learning rate') ? 0.8 : 0.9 });
const watching: Optimizer = {
  ...plain,
  update(parameters, given: NamedTensors, ...others) {
    for (const [name, gradient] of Object.entries(given)) gradients[name] ??= [...gradient.dataSync()];
    plain.update(parameters, given, ...others);
  },
};
const stop = new AbortController();
const trainer = new Trainer({
  parameters: named.parameters,
  buffers: { ...named.buffers, odd },
  inputs: feed.specs,
  loss(inputs) {
    const views = feed.views(inputs);
    const given = task.encoder === 'resnet18' ? views : tf.reshape(views, [views.shape[0], -1]);
    const features = encoder.apply(given, { training: true });
    const projections = gatherViews(head.apply(features, { training: true }));
    const { loss, ranks } = ntXentWithRanks(projections, { temperature: 0.5 });
    if (isOdd('buffer')) odd.assign(tf.scalar(world.rank));
    return { loss, metrics: { accuracy: contrastiveAccuracy(ranks, 1) } };
  },
  optimizer: watching,
  schedule: constantSchedule({ learningRate: 0.05 }),
  world,
  ...(task.batchStatistics && { batchStatistics: task.batchStatistics }),
  ...(task.gradientExchange && { gradientExchange: task.gradientExchange }),
});

const read = (variables: Readonly<Record<string, tf.Variable>>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, [...variable.dataSync()]]));
let statistics: Record<string, number[]> = {};
const losses: number[] = [];
const accuracies: number[] = [];
const epochs = Math.ceil(task.steps / feed.stepsPerEpoch);
for await (const event of trainer.fit({ epochs, ...feed, signal: stop.signal, checkTensors: true })) {
  if (event.type !== 'step') continue;
  losses.push(event.loss);
  accuracies.push(event.metrics.accuracy);
  if (event.step === 0) statistics = read(named.buffers);
  if (task.stops?.rank === world.rank && losses.length === task.stops.after) stop.abort();
}
const outcome: RankOutcome = {
  losses,
  accuracies,
  stepsDone: trainer.stepsDone,
  gradients,
  statistics,
  variables: read({ ...trainer.parameters, ...trainer.buffers }),
};
if (world.rank === 0) writeFileSync(task.out, JSON.stringify(outcome));
mpi?.finalize();
