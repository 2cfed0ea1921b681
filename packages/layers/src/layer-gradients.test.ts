import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { describeEngines, expectGradient } from '@tfjs-ssl/testing';
import { it } from 'vitest';
import { batchNorm } from './batch-norm.ts';
import { conv2d } from './conv2d.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { linear } from './linear.ts';
import { maxPool2d } from './max-pool2d.ts';
import { squeezeExcite } from './squeeze-excite.ts';

const noise = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

/** Checks the gradients of a layer's inputs and trainable weights against differences. */
async function checkLayer(layer: layers.Layer, inputs: tf.Tensor[], training = false): Promise<void> {
  layer.build(inputs.length > 1 ? inputs.map(({ shape }) => shape) : (inputs[0] as tf.Tensor).shape);
  const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
  // Weights far from their start, where scales are 1 and shifts 0.
  variables.forEach((variable, i) => {
    variable.assign(noise(variable.shape, 10 + i));
  });
  const factors = noise(layer.computeOutputShape(inputs.map(({ shape }) => shape)[0] as number[]) as number[], 1);
  await expectGradient(
    (...args) => {
      const given = args.slice(inputs.length);
      const saved = variables.map((variable) => tf.clone(variable));
      variables.forEach((variable, i) => {
        // The tape sees the variables themselves; only shifted values have to be put into them.
        if (given[i] !== variable) variable.assign(given[i] as tf.Tensor);
      });
      const x = args.slice(0, inputs.length);
      const y = layer.apply(x.length > 1 ? x : (x[0] as tf.Tensor), { training }) as tf.Tensor;
      const result = tf.sum<tf.Scalar>(tf.mul(tf.square(y), factors));
      variables.forEach((variable, i) => {
        if (given[i] !== variable) variable.assign(saved[i] as tf.Tensor);
      });
      return result;
    },
    [...inputs, ...variables],
    { step: 3e-3 },
  );
}

describeEngines('gradients of layers', () => {
  it.each([
    { kernelSize: 3, strides: 2, padding: 1 },
    { kernelSize: 3, strides: 1, padding: 1 },
    { kernelSize: 1, strides: 2, padding: 0 },
    { kernelSize: 5, strides: 1, padding: 1 },
  ])('conv2d %j', async (window) => {
    await checkLayer(conv2d({ filters: 3, useBias: true, ...window }), [noise([2, 5, 4, 2], 2)]);
  });

  it.each([
    { kernelSize: 3, strides: 1, padding: 1 },
    { kernelSize: 3, strides: 2, padding: 1 },
    { kernelSize: 5, strides: 1, padding: 2 },
    { kernelSize: 5, strides: 2, padding: 2 },
  ])('depthwiseConv2d %j', async (window) => {
    await checkLayer(depthwiseConv2d(window), [noise([2, 5, 4, 3], 2)]);
  });

  it('squeezeExcite', async () => {
    await checkLayer(squeezeExcite({ squeezed: 2 }), [noise([2, 3, 2, 4], 2)]);
  });

  it('linear', async () => {
    await checkLayer(linear({ units: 3 }), [noise([4, 5], 2)]);
  });

  it.each([[true], [false]])('batchNorm, training: %s', async (training) => {
    await checkLayer(batchNorm(), [noise([6, 2, 2, 3], 2)], training);
  });

  it.each([[true], [false]])('batchNorm with SiLU, training: %s', async (training) => {
    await checkLayer(batchNorm({ silu: true }), [noise([6, 2, 2, 3], 2)], training);
  });

  it.each([[true], [false]])('batchNorm with a residual, training: %s', async (training) => {
    await checkLayer(batchNorm(), [noise([6, 3], 2), noise([6, 3], 3)], training);
  });

  it('maxPool2d', async () => {
    await checkLayer(maxPool2d({ poolSize: 3, strides: 2, padding: 1 }), [tf.mul(noise([1, 6, 5, 2], 2), 10)]);
  });
});
