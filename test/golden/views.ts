import * as tf from '@tensorflow/tfjs-core';
import type { GoldenGroup } from './harness.ts';

/** Images [start, start + count) of a view as the case's input: 64 px, or 32 px by 2x2 means. */
export function viewInput(group: GoldenGroup, view: number, start: number, count: number, size: number): tf.Tensor4D {
  const { data, shape } = group.tensor('views_u8');
  const [, images, height, width, channels] = shape as [number, number, number, number, number];
  const imageSize = height * width * channels;
  const from = (view * images + start) * imageSize;
  const pixels = data.subarray(from, from + count * imageSize);
  const scale = height / size;
  const values = new Float32Array(count * size * size * channels);
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    const x = Math.floor(i / channels) % size;
    const y = Math.floor(i / (channels * size)) % size;
    const n = Math.floor(i / (channels * size * size));
    let sum = 0;
    for (let dy = 0; dy < scale; dy++)
      for (let dx = 0; dx < scale; dx++)
        sum += pixels[n * imageSize + ((y * scale + dy) * width + x * scale + dx) * channels + c] as number;
    values[i] = sum / (255 * scale * scale);
  }
  return tf.tensor4d(values, [count, size, size, channels]);
}
