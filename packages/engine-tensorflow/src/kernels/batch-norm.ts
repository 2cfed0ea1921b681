import type * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../node-backend.ts';
import { areFloat, defineOpKernel, type Kernel, type KernelCall } from './kernel.ts';

type Call = KernelCall<string, { readonly epsilon: number }>;

/** Attributes of the normalisation and of its gradient. */
const normAttributes = ({ attribute, options }: Call, training = true) => [
  ...attribute.float32('T', 'U'),
  attribute.float('epsilon', options.epsilon),
  attribute.text('data_format', 'NHWC'),
  attribute.flag('is_training', training),
];

function reshape({ store, attribute, run }: Call, id: number, shape: readonly number[]): Handle {
  return run('Reshape', [...attribute.float32('T'), attribute.int32('Tshape')], [id, store.constant(shape)]);
}

/**
 * Runs a function with tensors of one shape [..., C] as images, which TensorFlow's ops take, and gives its first result, which is as
 * large as they are, that shape again.
 */
function asImages(call: Call, tensors: number[], shape: readonly number[], run: (ids: number[]) => Handle[]): Handle[] {
  if (shape.length === 4) return run(tensors);
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const images = tensors.map((id) => reshape(call, id, [rows, 1, 1, shape.at(-1) as number]));
  const [first, ...rest] = run(images.map(({ id }) => id)) as [Handle, ...Handle[]];
  const result = reshape(call, first.id, shape);
  call.store.release(...images, first);
  return [result, ...rest];
}

/** Runs an op on float32 tensors and frees its first operand. */
function consume({ store, attribute, run }: Call, name: string, operand: Handle, ...others: number[]): Handle {
  const result = run(name, attribute.float32('T'), [operand.id, ...others]);
  store.release(operand);
  return result;
}

/** Adds 0 times the variances: where one overflows, the op scales a channel to 0, which looks sound; here it becomes NaN. */
function spoil({ store, attribute, run }: Call, operand: number, variance: Handle): Handle {
  const nothing = store.withNumbers([0], (zero) => run('Mul', attribute.float32('T'), [variance.id, zero!]));
  const result = run('AddV2', attribute.float32('T'), [operand, nothing.id]);
  store.release(nothing);
  return result;
}

type Statistics = [output: Handle, mean: Handle, variance: Handle];

/** Rows that may be summed in float32, one after the other, before the sum loses digits that count. */
const SUMMED_ROWS = 256;

/** Normalises images and gives mean and biased variance, by one op. */
function normaliseAtOnce(call: Call, images: number, gamma: number, beta: number, rows: number): Statistics {
  const { store, runMany } = call;
  const none = store.vector(0, 0);
  const operands = [images, gamma, beta, none, none];
  const results = runMany('FusedBatchNormV2', normAttributes(call), operands, 5);
  const [normalised, batchMean, corrected, mean, saved] = results as [Handle, Handle, Handle, Handle, Handle];
  const output = spoil(call, normalised.id, corrected);
  store.release(normalised, batchMean);
  if (!store.gpu) {
    store.release(corrected);
    return [output, mean, saved];
  }
  // cuDNN saves another quantity: the variance is made of the one that is corrected for running statistics.
  store.release(saved);
  const share = Math.max(rows - 1, 1) / rows;
  return [output, mean, store.withNumbers([share], (factor) => consume(call, 'Mul', corrected, factor!))];
}

/**
 * Normalises images in two passes: statistics of groups of rows, put together, then the normalisation.
 *
 * On the processor the op sums all rows one after the other in float32: for 65,536 rows, the first layer of a ResNet at a batch of 64, the
 * variance is off by 1e-4. Groups of rows taken for channels are summed apart, which leaves an error of 1e-7.
 */
function normaliseInGroups(call: Call, images: number, gamma: number, beta: number, sizes: Sizes): Statistics {
  const { store, attribute, run, runMany } = call;
  const { rows, channels, groups } = sizes;
  const wide = groups * channels;
  const regrouped = reshape(call, images, [rows / groups, 1, 1, wide]);
  const none = store.vector(0, 0);
  const units = [store.vector(1, wide), store.vector(0, wide)];
  const parts = runMany('FusedBatchNormV2', normAttributes(call), [regrouped.id, ...units, none, none], 5);
  const [means, variances] = [parts[3]!, parts[4]!].map((part) => reshape(call, part.id, [groups, channels])) as [
    Handle,
    Handle,
  ];
  const average = (id: number) =>
    run(
      'Mean',
      [...attribute.float32('T'), attribute.int32('Tidx'), attribute.flag('keep_dims', false)],
      [id, store.constant([0])],
    );
  const mean = average(means.id);
  const between = run('SquaredDifference', attribute.float32('T'), [means.id, mean.id]);
  const spread = run('AddV2', attribute.float32('T'), [variances.id, between.id]);
  const variance = average(spread.id);
  const attributes = normAttributes(call, false);
  const shift = spoil(call, beta, variance);
  const results = runMany('FusedBatchNormV2', attributes, [images, gamma, shift.id, mean.id, variance.id], 5);
  const [output, ...unused] = results as [Handle, ...Handle[]];
  store.release(shift, ...unused, ...parts, regrouped, means, variances, between, spread);
  return [output, mean, variance];
}

interface Sizes {
  readonly rows: number;
  readonly channels: number;
  /** Groups of rows whose statistics are taken apart: a power of 2 that divides the rows. */
  readonly groups: number;
}

/** Rows, channels and groups of a tensor [..., C]. */
function sizesOf(shape: readonly number[], gpu: boolean): Sizes {
  const channels = shape.at(-1) as number;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  let groups = 1;
  while (!gpu && rows / groups > SUMMED_ROWS && rows % (2 * groups) === 0) groups *= 2;
  return { rows, channels, groups };
}

/** running = (1 - momentum) running + share * batch. */
function moveRunning(call: Call, running: tf.TensorInfo, ofBatch: Handle, momentum: number, share: number): void {
  const { store, attribute, run } = call;
  const moved = store.withNumbers([1 - momentum, share], (kept, taken) => {
    const part = run('Mul', attribute.float32('T'), [ofBatch.id, taken!]);
    const sum = consume(call, 'AddV2', run('Mul', attribute.float32('T'), [store.id(running), kept!]), part.id);
    store.release(part);
    return sum;
  });
  store.replace(running, moved);
}

const train = defineOpKernel('BatchNormTrain', (call) => {
  const { inputs, options, store } = call;
  const { x, residual } = inputs;
  if (!areFloat(x, inputs.gamma, inputs.beta)) return null;
  const [gamma, beta] = [store.id(inputs.gamma), store.id(inputs.beta)];
  const sizes = sizesOf(x.shape, store.gpu);
  const results = asImages(call, [store.id(x)], x.shape, ([images]) =>
    sizes.groups === 1
      ? normaliseAtOnce(call, images!, gamma, beta, sizes.rows)
      : normaliseInGroups(call, images!, gamma, beta, sizes),
  );
  const [normalised, mean, variance] = results as Statistics;
  if (options.momentum !== undefined && inputs.runningMean) {
    const { momentum } = options;
    moveRunning(call, inputs.runningMean, mean, momentum, momentum);
    moveRunning(call, inputs.runningVariance, variance, momentum, (momentum * sizes.rows) / (sizes.rows - 1));
  }
  let output = normalised;
  if (residual) output = consume(call, 'AddV2', output, store.id(residual));
  if (options.relu) output = consume(call, 'Relu', output);
  return [output, mean, variance].map((handle) => store.toTensor(handle));
});

/** What the gradient op takes of the variance: itself on the processor, 1 / sqrt(variance + epsilon) on a GPU (cuDNN's choice). */
function savedVariance(call: Call, variance: number): Handle | null {
  const { store, attribute, options, run } = call;
  if (!store.gpu) return null;
  return store.withNumbers([options.epsilon], (epsilon) =>
    consume(call, 'Rsqrt', run('AddV2', attribute.float32('T'), [variance, epsilon!])),
  );
}

const trainGradient = defineOpKernel('BatchNormTrainGrad', (call) => {
  const { inputs, options, store, attribute, run, runMany } = call;
  const [dy, x, output, mean, variance, gamma] = (['dy', 'x', 'output', 'mean', 'variance', 'gamma'] as const).map(
    (name) => store.id(inputs[name]),
  ) as [number, number, number, number, number, number];
  const rectified = options.relu ? run('ReluGrad', attribute.float32('T'), [dy, output]) : null;
  const saved = savedVariance(call, variance);
  const results = asImages(call, [rectified?.id ?? dy, x], inputs.x.shape, ([dz, images]) =>
    runMany('FusedBatchNormGradV2', normAttributes(call), [dz!, images!, gamma, mean, saved?.id ?? variance], 5),
  );
  const [dx, dgamma, dbeta, ...unused] = results as [Handle, Handle, Handle, Handle, Handle];
  store.release(...unused, ...(saved ? [saved] : []));
  const gradients = [dx, dgamma, dbeta].map((handle) => store.toTensor(handle));
  if (!options.residual) {
    if (rectified) store.release(rectified);
    return gradients;
  }
  // Without a rectifier the shortcut's gradient is dy itself, which a tensor of its own has to hold.
  return [...gradients, store.toTensor(rectified ?? run('Identity', attribute.float32('T'), [dy]))];
});

/** Batch normalisation in training and its gradient. */
export const batchNormKernels: readonly Kernel[] = [train, trainGradient];
