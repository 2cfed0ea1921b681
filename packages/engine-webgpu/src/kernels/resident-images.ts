import type * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { defineOpKernel, type GpuKernel } from './kernel.ts';

/** Buffers that the augmentation kernel binds beside the shards: indices, parameters, output. */
const OTHER_BINDINGS = 3;

/** Makes room for a data set, in as few buffers as the device allows. */
const reserveImages = defineOpKernel('ReserveImages', ({ attributes: { images, words, checks }, backend }) => {
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = backend.device.limits;
  const perShard = Math.min(images, Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / (4 * words)));
  const count = perShard === 0 ? Number.POSITIVE_INFINITY : Math.ceil(images / perShard);
  const most = maxStorageBuffersPerShaderStage - OTHER_BINDINGS;
  if (count > most) {
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    throw imagesError(
      `fit into ${most} buffers of at most ${megabytes(maxStorageBufferBindingSize)}, which this device binds beside the views`,
      `${images} images of ${megabytes(images * words * 4)} in all`,
    );
  }
  backend.device.pushErrorScope('out-of-memory');
  const shards = Array.from({ length: count }, (_, i) =>
    backend.output([Math.min(perShard, images - i * perShard), words], { dtype: 'int32' }),
  );
  checks.push(
    backend.device.popErrorScope().then((error) => {
      if (error) {
        throw imagesError('fit into the memory of the device', `${images} images that do not (${error.message})`);
      }
    }),
  );
  return shards;
});

function imagesError(required: string, got: string): Error {
  const advice = 'Upload them batch by batch.';
  return argumentError({ fn: 'engine-webgpu', argument: 'images', required, got, shown: got, advice });
}

/** Writes images into a shard, past the recorded work: nothing that reads them has been recorded yet. */
const writeImages = defineOpKernel('WriteImages', ({ inputs: { shard, images }, attributes: { first }, backend }) => {
  const { values } = backend.tensorMap.get(images.dataId);
  if (!ArrayBuffer.isView(values)) {
    throw new Error('engine-webgpu: WriteImages needs images that are not on the GPU yet. Make a new tensor of them.');
  }
  const words = shard.shape[1] as number;
  const bytes = values as unknown as Int32Array<ArrayBuffer>;
  backend.queue.writeBuffer(backend.bufferOf(shard), 4 * first * words, bytes);
  return [] as tf.TensorInfo[];
});

/** A data set in the memory of the device. */
export const residentImageKernels: readonly GpuKernel[] = [reserveImages, writeImages];
