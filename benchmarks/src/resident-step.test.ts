import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { type ProfiledDispatch, webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { stepPhases } from '@tfjs-ssl/engine-webgpu/profile';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { layerShapes } from './layer-shapes.ts';
import { type ResidentStep, residentStep } from './resident-step.ts';

// Dawn's null device records and computes nothing, and what is read from it is whatever lay there: here zeros
const size = { images: 2, imageSize: 16, width: 4, stored: 5 };
let step: ResidentStep;
beforeEach(async () => {
  await startEngine('webgpu', { dawnOptions: ['backend=null'] } as object);
  const backend = tf.backend() as tf.KernelBackend & { tensorMap: tf.DataStorage<{ shape: number[] }> };
  vi.spyOn(backend, 'read').mockImplementation(
    async (dataId) => new Float32Array(tf.util.sizeFromShape(backend.tensorMap.get(dataId).shape)),
  );
  step = residentStep(size, 'float32');
});
afterEach(async () => {
  step.dispose();
  await webgpuEngine.stop();
});

it('is recorded, and its kernels fall into all parts of a step', async () => {
  expect(await step.profile(1, 'dispatch')).toEqual([]); // the first step makes what lasts
  const [profile] = await step.profile(1, 'dispatch');
  const dispatches = profile?.flatMap((pass) => pass.dispatches) as ProfiledDispatch[];
  const phases = dispatches.map(({ phase }) => stepPhases.indexOf(phase));
  expect(new Set(phases)).toEqual(new Set([0, 1, 2, 3]));
  expect(phases).toEqual([...phases].sort());

  const flopsOf = (group: string) =>
    dispatches.filter((dispatch) => dispatch.group === group).reduce((sum, { flops }) => sum + flops, 0);
  const views = 2 * size.images;
  const convolutions = layerShapes('resnet18', size.imageSize, size.width).map(
    ({ count, side, stride, window, channels, outputChannels }) =>
      2 * views * count * Math.ceil(side / stride) ** 2 * window ** 2 * channels * outputChannels,
  );
  const all = convolutions.reduce((sum, flops) => sum + flops);
  expect(flopsOf('convolution forward')).toBe(all);
  expect(flopsOf('convolution backward-filter')).toBe(all);
  expect(flopsOf('convolution backward-input')).toBe(all - convolutions[0]!); // images take no gradient
});

it('takes times of steps that run ahead of their losses', async () => {
  const { all, host } = await step.time(4);
  expect(host).toBeGreaterThan(0);
  expect(host).toBeLessThanOrEqual(all);
  expect(await step.run(2)).toBe(0);
});

it('gives a rival its weights, images and first views', async () => {
  const files = await step.files();
  const { images, views } = {
    images: decodeSafetensors(files.images).tensors.images,
    views: decodeSafetensors(files.views).tensors.views,
  };
  expect(images).toMatchObject({ dtype: 'U8', shape: [5, 16, 16, 3] });
  expect(new Set(images?.data as Uint8Array).size).toBeGreaterThan(200); // random bytes
  expect(views?.shape).toEqual([4, 16, 16, 3]);
});
