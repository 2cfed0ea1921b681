import * as tf from '@tensorflow/tfjs-core';
import { imageTensor } from '@tfjs-ssl/augmentations';
import type { ImageDataset } from '@tfjs-ssl/datasets';
import { type Picture, pictureSheet } from '@tfjs-ssl/report';
import { buildChain } from './blocks.ts';
import type { Settings } from './settings/table.ts';

/** Images that are shown at most. */
const shown = 10;

/** Views of each, as in training. */
const views = 2;

/**
 * A few training images, evenly spread over the classes, and their views in the first epoch.
 *
 * @returns a PNG: images in the first row, their views in the rows below.
 */
export async function sampleViews(train: ImageDataset, settings: Settings): Promise<Uint8Array> {
  const { imageSize, seed } = settings;
  const chain = buildChain({ ...settings, normalization: 'none' }); // a picture shows colours as they are
  const count = Math.min(shown, train.length);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * train.length) / count));
  const bytes = await train.read(indices);
  const made = tf.tidy(() => {
    const images = imageTensor(bytes, [count, imageSize, imageSize, 3]);
    return chain.makeViews(images, { seed, epoch: 0, indices, views });
  });
  const viewBytes = Uint8ClampedArray.from(await made.data(), (value) => 255 * value);
  made.dispose();
  const rows = [...split(bytes, count, imageSize), ...split(viewBytes, count, imageSize)];
  return pictureSheet(rows);
}

/** Rows of so many pictures, from their pixels one after another. */
function split(pixels: Picture['data'], perRow: number, size: number): Picture[][] {
  const bytes = 3 * size * size;
  const pictures = Array.from({ length: pixels.length / bytes }, (_, i) => ({
    width: size,
    height: size,
    data: pixels.subarray(i * bytes, (i + 1) * bytes),
  }));
  return Array.from({ length: pictures.length / perRow }, (_, row) => pictures.slice(row * perRow, (row + 1) * perRow));
}
