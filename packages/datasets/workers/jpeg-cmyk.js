// @ts-check
import { planeOf } from './jpeg-planes.js';
import { checkedScans } from './jpeg-sound.js';

/**
 * Decodes a JPEG of four channels, CMYK or YCCK, to RGB as Pillow does: inks are taken for inverted, as Adobe writes them,
 * and no colour profile is applied.
 *
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number, data: Uint8Array<ArrayBuffer> }}
 * @throws Error with the reason alone
 */
export function decodeCmykJpeg(bytes) {
  const { width, height, components, adobe } = checkedScans(bytes);
  const [maxH, maxV] = [Math.max(...components.map(({ h }) => h)), Math.max(...components.map(({ v }) => v))];
  const planes = components.map((component) => {
    const [h, v] = [maxH / component.h, maxV / component.v];
    if (!Number.isInteger(h) || !Number.isInteger(v)) throw new Error('is a JPEG whose sampling is not read');
    return planeOf(component, width, height, h, v);
  });
  if (adobe !== null && adobe !== 0) toCmyk(planes);
  const [cyan, magenta, yellow, black] = planes;
  const data = new Uint8Array(width * height * 3);
  for (let at = 0, to = 0; at < width * height; at++, to += 3) {
    const light = black[at];
    data[to] = light - part(255 - cyan[at], light);
    data[to + 1] = light - part(255 - magenta[at], light);
    data[to + 2] = light - part(255 - yellow[at], light);
  }
  return { width, height, data };
}

/** a * b / 255, rounded. @param {number} a @param {number} b */
function part(a, b) {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** YCCK becomes CMYK in place, in the fixed point of libjpeg (jdcolor.c). @param {Uint8Array[]} planes */
function toCmyk([y, cb, cr]) {
  const half = 1 << 15;
  const inverted = (/** @type {number} */ value) => Math.max(0, Math.min(255, 255 - value));
  for (let at = 0; at < y.length; at++) {
    const [luma, blue, red] = [y[at], cb[at] - 128, cr[at] - 128];
    y[at] = inverted(luma + ((91881 * red + half) >> 16));
    cb[at] = inverted(luma + ((-22554 * blue - 46802 * red + half) >> 16));
    cr[at] = inverted(luma + ((116130 * blue + half) >> 16));
  }
}
