import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodeImage } from '../../../packages/datasets/workers/image-decoder.js';

const pictures = JSON.parse(
  readFileSync(new URL('../../../packages/datasets/test-support/pictures.json', import.meta.url), 'utf8'),
);

/** Whole pictures of a format, from the files that the tests of the decoders use. @param {string} format */
export function picturesOf(format) {
  return Object.entries(pictures)
    .filter(([name, { sha256 }]) => name.startsWith(`${format}/`) && sha256)
    .map(([, { base64 }]) => Buffer.from(base64, 'base64'));
}

/** @param {Uint8Array} bytes */
export async function readPicture(bytes) {
  const { width, height, data } = await decodeImage(bytes);
  return `${width}x${height} ${createHash('sha256').update(data).digest('hex')}`;
}

/** @param {Error} error */
export function isPictureError(error) {
  return error.constructor === Error && /^(is (a damaged|not a readable|neither|a|an) |has )/.test(error.message);
}

export const pillow = `
import numpy
from PIL import Image
def read(data):
    image = numpy.array(Image.open(io.BytesIO(data), formats=['JPEG', 'PNG']).convert('RGB'))
    return f'{image.shape[1]}x{image.shape[0]} {hashlib.sha256(image.tobytes()).hexdigest()}'
`;
