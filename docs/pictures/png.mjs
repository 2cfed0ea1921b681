import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { encode } from 'fast-png';

/**
 * Writes one image of a batch as a PNG file.
 *
 * @param {string} path - the file.
 * @param {import('@tensorflow/tfjs-core').Tensor4D} images - shape [N, H, W, 3]; values beyond [0, 1] are clamped.
 * @param {number} index - which image.
 */
export async function writePng(path, images, index = 0) {
  const [, height, width] = images.shape;
  const length = height * width * 3;
  const values = (await images.data()).slice(index * length, (index + 1) * length);
  const data = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encode({ width, height, data, channels: 3, depth: 8 }));
}
