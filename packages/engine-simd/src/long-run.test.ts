import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { adamUpdate, batchNormTrain, globalAveragePool, ntXentWithRanks } from '@tfjs-ssl/ops';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { simdEngine } from './index.ts';

beforeAll(() => simdEngine.start());
afterAll(() => simdEngine.stop());

/** What is held: tensors, their bytes, and the WebAssembly memory in use and reserved. */
function held() {
  const { numTensors, numBytes, numDataBuffers, wasmBytesInUse, wasmBytesReserved } = tf.memory() as tf.MemoryInfo &
    Record<'wasmBytesInUse' | 'wasmBytesReserved', number>;
  return { numTensors, numBytes, numDataBuffers, wasmBytesInUse, wasmBytesReserved };
}

it('holds as much after 2,000 training steps of changing shapes as after the first of each', async () => {
  const shapes = Array.from({ length: 50 }, (_, i) => ({ rows: 2 * (1 + ((i * 7) % 5)), size: 4 + ((i * 3) % 10) }));
  const initial = (shape: number[], i: number) => tf.variable(tf.randomNormal(shape, 0, 0.1, 'float32', i));
  const parameters = [[3, 3, 3, 8], [8], [8], [3, 3, 8, 12], [12, 6]].map(initial) as [
    ...[tf.Variable, tf.Variable, tf.Variable, tf.Variable, tf.Variable],
  ];
  const [first, gamma, beta, second, head] = parameters;
  const moments = [0, 1].map(() => parameters.map((parameter) => tf.variable(tf.zerosLike(parameter))));
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-4, decoupled: false };
  const convolve = (x: tf.Tensor, w: tf.Tensor, stride: number) =>
    tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 1);

  const step = (i: number) =>
    tf.tidy(() => {
      const { rows, size } = shapes[i % shapes.length]!;
      const images = tf.randomUniform([rows, size, size + 1, 3], 0, 1, 'float32', i + 1);
      const network = () => {
        const { output } = batchNormTrain(convolve(images, first, 1), gamma as tf.Tensor1D, beta as tf.Tensor1D, {
          relu: true,
        });
        const features = globalAveragePool(tf.relu(convolve(tf.maxPool(output as tf.Tensor4D, 2, 2, 0), second, 2)));
        return ntXentWithRanks(tf.matMul(features, head as tf.Tensor2D), { temperature: 0.5 }).loss;
      };
      const { value, grads } = tf.variableGrads(network, parameters);
      const gradients = parameters.map(({ name }) => grads[name]!);
      adamUpdate(parameters, gradients, moments[0]!, moments[1]!, tf.tensor1d([1e-3, 1 - 0.9, 1 - 0.999]), adam);
      return value;
    });

  const losses: number[] = [];
  let afterFirst = held();
  for (let i = 0; i < 2000; i++) {
    const loss = step(i);
    losses.push((await loss.data<'float32'>())[0]!);
    loss.dispose();
    if (i === shapes.length - 1) afterFirst = held();
  }
  expect(held()).toEqual(afterFirst);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(new Set(losses).size).toBeGreaterThan(1000); // it trains
});
