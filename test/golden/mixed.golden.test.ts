import * as tf from '@tensorflow/tfjs-core';
import { compile, currentEngine, type Precision, startEngine } from '@tfjs-ssl/engine';
import { conv2d } from '@tfjs-ssl/layers';
import { ntXent, ntXentWithRanks } from '@tfjs-ssl/losses';
import { adam, constantSchedule, Trainer } from '@tfjs-ssl/trainer';
import { expect } from 'vitest';
import { withFloat16Operands } from './float16-operands.ts';
import { describeGolden, type GoldenCase, type GoldenGroup, type Treatment } from './harness.ts';
import { goldenNetwork } from './network.ts';
import { viewInput } from './views.ts';

/** How far a result in mixed precision may be from the one in float32: |mixed - float32| / |float32|, Euclidean norms of the whole. */
const RELATIVE_NORM = 2e-2;
/** Factor on a loss for its gradients to lie within float16; a power of two. */
const LOSS_SCALE = 2 ** 10;

type Results = Record<string, Float32Array>;

function tensorOf(group: GoldenGroup, name: string, scale = 1): tf.Tensor {
  const { data, shape } = group.tensor(name);
  return tf.tensor(
    Float32Array.from(data, (value) => value * scale),
    shape,
  );
}

function relativeDistance(got: Results, expected: Results, names: readonly string[]): number {
  let [difference, norm] = [0, 0];
  for (const name of names) {
    const [a, b] = [got[name] as Float32Array, expected[name] as Float32Array];
    for (let i = 0; i < b.length; i++) {
      difference += ((a[i] as number) - (b[i] as number)) ** 2;
      norm += (b[i] as number) ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

/** Runs a step in a precision and reads what it computes. */
async function run(
  step: (inputs: Readonly<Record<string, tf.Tensor>>) => tf.NamedTensorMap,
  inputs: Readonly<Record<string, tf.Tensor>>,
  precision: Precision,
): Promise<Results> {
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, { shape }]));
  const compiled = compile(step, { inputs: specs, precision });
  const outputs = compiled(inputs);
  const read = Object.entries(outputs).map(async ([name, tensor]) => [name, (await tensor.data()).slice()] as const);
  const results = Object.fromEntries(await Promise.all(read)) as Results;
  tf.dispose([outputs, inputs]);
  compiled.dispose();
  return results;
}

/** Distances of each result as a whole and of all gradients together, the greatest first. */
function distances(got: Results, expected: Results): Array<readonly [name: string, distance: number]> {
  const names = Object.keys(expected);
  const gradients = names.filter((name) => name.startsWith('d '));
  const each = names.map((name) => [name, relativeDistance(got, expected, [name])] as const);
  const together = [ALL, relativeDistance(got, expected, gradients)] as const;
  return [...each, together].sort(([, a], [, b]) => b - a);
}

const ALL = 'all gradients';

/**
 * Holds what a case computes in mixed precision to float32, and a single layer to the reference with operands of float16, too.
 *
 * Of a whole network each output and all gradients together are held to float32, and may be twice as far from it as the reference with
 * operands of float16 is. Rounding moves the inputs of rectifiers, and each that crosses zero switches the gradient of its unit: in a batch
 * of a few images float16 by itself, however well its operands are multiplied, parts the gradients of twenty layers, and the outputs of
 * fifty, by more than a layer may.
 */
async function compare(
  golden: GoldenCase,
  engine: string,
  compute: (precision: Precision) => Promise<Results>,
): Promise<void> {
  const [float32, mixed] = [await compute('float32'), await compute('mixed')];
  const rounded = await withFloat16Operands(() => compute('float32'));
  await startEngine(engine);
  const toFloat32 = distances(mixed, float32);
  const toRounded = distances(mixed, rounded);
  const inherent = distances(rounded, float32);
  const tell = (of: typeof toFloat32): string => {
    const told = of.filter(([name], i) => i === 0 || name === ALL || !name.startsWith('d '));
    return told.map(([name, distance]) => `${name} ${distance.toExponential(1)}`).join(', ');
  };
  console.log(
    `golden ${golden.id} in mixed precision, relative distances. From float32: ${tell(toFloat32)}. ` +
      `From float16 operands: ${tell(toRounded)}. Of these from float32: ${tell(inherent)}`,
  );
  if (golden.op !== 'network') {
    for (const [name, distance] of [...toFloat32, ...toRounded]) expect(distance, name).toBeLessThan(RELATIVE_NORM);
    return;
  }
  const byItself = new Map(inherent);
  for (const [name, distance] of toFloat32.filter(([name]) => !name.startsWith('d '))) {
    const most = Math.max(RELATIVE_NORM, 2 * (byItself.get(name) as number));
    expect(distance, `${name}, from float32`).toBeLessThan(most);
  }
}

/**
 * Runs a function without matrix units where the device is software: compiling a network's kernels for them takes such a driver many
 * minutes. Multiply-adds of float16 operands give the same but for the order of the sums; single layers run on the matrix units.
 */
async function sparingSoftware<T>(run: () => Promise<T>): Promise<T> {
  const backend = tf.backend() as unknown as { matrixUnit: object | null };
  const { matrixUnit } = backend;
  if (/^software/.test(currentEngine().device)) backend.matrixUnit = null;
  try {
    return await run();
  } finally {
    backend.matrixUnit = matrixUnit;
  }
}

/** A network's outputs and the gradients of its weights and images. */
async function networkResults(golden: GoldenCase, group: GoldenGroup, precision: Precision): Promise<Results> {
  const { encoder, head, parameters } = await goldenNetwork(golden.params);
  const names = Object.keys(parameters);
  const results = await run(
    ({ images }) => {
      const evaluated = encoder.predict(images as tf.Tensor) as tf.Tensor;
      let outputs: tf.NamedTensorMap = {};
      const { value, grads } = tf.valueAndGrads((x: tf.Tensor) => {
        const features = encoder.apply(x, { training: true }) as tf.Tensor;
        const z = head.apply(features, { training: true }) as tf.Tensor2D;
        outputs = { features: tf.keep(tf.clone(features)), z: tf.keep(tf.clone(z)) };
        return tf.mul(ntXent(z, { temperature: golden.params.tau }), LOSS_SCALE);
      })([images as tf.Tensor, ...Object.values(parameters)]);
      const gradients = ['images', ...names].map((name, i) => [`d ${name}`, grads[i] as tf.Tensor]);
      return { evaluated, ...outputs, loss: value, ...Object.fromEntries(gradients) };
    },
    { images: tensorOf(group, golden.inputs.images_u8, 1 / 255) },
    precision,
  );
  tf.disposeVariables();
  return results;
}

/** A convolution and its gradients. */
async function convolutionResults(golden: GoldenCase, group: GoldenGroup, precision: Precision): Promise<Results> {
  const { kernel, stride, padding } = golden.params;
  const filters = group.tensor(golden.inputs.w).shape[0] as number;
  const layer = conv2d({ filters, kernelSize: kernel, strides: stride, padding });
  const x = tensorOf(group, golden.inputs.x);
  layer.build(x.shape);
  layer.setWeights([tf.tidy(() => tf.transpose(tensorOf(group, golden.inputs.w), [2, 3, 1, 0]))]);
  const weight = (layer.weights[0] as (typeof layer.weights)[number]).read();
  const results = await run(
    (inputs) => {
      let y: tf.Tensor | undefined;
      const [dx, dw] = tf.grads((xs) => {
        y = tf.keep(layer.apply(xs as tf.Tensor) as tf.Tensor);
        return tf.sum(tf.mul(y, inputs.cotangent as tf.Tensor));
      })([inputs.x as tf.Tensor, weight]);
      return { y: y as unknown as tf.Tensor, 'd x': dx as tf.Tensor, 'd w': dw as tf.Tensor };
    },
    { x, cotangent: tensorOf(group, golden.inputs.cotangent) },
    precision,
  );
  tf.disposeVariables();
  return results;
}

/** Trains as the case says; a batch whose step was skipped comes again, as a skipped step changes nothing. */
async function trajectoryCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { params, expected } = golden;
  const { input: size, images_per_step: images, steps, tau } = params;
  const { encoder, head, parameters, buffers } = await goldenNetwork(params);
  const trainer = new Trainer({
    parameters,
    buffers,
    inputs: { x: { shape: [2 * images, size, size, 3] } },
    loss: ({ x }) => {
      const features = encoder.apply(x, { training: true }) as tf.Tensor;
      const z = head.apply(features, { training: true }) as tf.Tensor2D;
      return { loss: ntXentWithRanks(z, { temperature: tau }).loss };
    },
    optimizer: adam({ betas: params.betas, epsilon: params.eps, weightDecay: params.weight_decay }),
    schedule: constantSchedule({ learningRate: params.lr }),
    precision: 'mixed',
  });
  const total = group.tensor('views_u8').shape[1] as number;
  const reference = group.tensor(expected.loss.tensor).data;
  const deviations: number[] = [];
  let skips = 0;
  for (let step = 0; step < steps; step++) {
    const start = (step % Math.floor(total / images)) * images;
    const x = tf.tidy(() => tf.concat([0, 1].map((view) => viewInput(group, view, start, images, size))));
    let result = await trainer.step({ x });
    for (; result.skipped; skips++) result = await trainer.step({ x });
    deviations.push(Math.abs(result.loss / (reference[step] as number) - 1));
    x.dispose();
  }
  trainer.dispose();
  const robust: number = expected.loss.robust_steps;
  const largest = Math.max(...deviations.slice(0, robust));
  console.log(
    `golden trajectory: ${golden.id} in mixed precision: largest relative deviation in its ${robust} robust steps ` +
      `${largest.toExponential(1)}, in all ${steps} ${Math.max(...deviations).toExponential(1)}; ${skips} steps skipped`,
  );
  deviations.slice(0, robust).forEach((deviation, step) => {
    expect(deviation, `loss of step ${step}`).toBeLessThan(expected.loss.rtol);
  });
}

function treat(golden: GoldenCase): Treatment | undefined {
  switch (golden.op) {
    case 'network':
      return {
        run: (group, engine) =>
          compare(golden, engine, (precision) => sparingSoftware(() => networkResults(golden, group, precision))),
      };
    case 'conv2d':
      return {
        run: (group, engine) => compare(golden, engine, (precision) => convolutionResults(golden, group, precision)),
      };
    case 'train':
      return {
        cannotRun: 'it is robust in float32 alone: operands of float16 by themselves part it by tens of per cent',
      };
    case 'train_float16':
      return { run: (group) => sparingSoftware(() => trajectoryCase(golden, group)) };
    default:
      return { cannotRun: 'it has no matrix product, so it is the same in both precisions' };
  }
}

await describeGolden('resnet', treat, { precision: 'mixed' });
await describeGolden('trajectory', treat, { precision: 'mixed' });
