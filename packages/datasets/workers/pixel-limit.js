// @ts-check

/** Pillow refuses more as well: such a file may be made to fill the memory. */
const most = 178_956_970;

/**
 * Refuses pictures that are too large, before memory is taken for them.
 *
 * @param {number} width
 * @param {number} height
 * @throws Error with the reason alone
 */
export function pixelLimit(width, height) {
  if (width * height > most) {
    throw new Error(`has ${width} x ${height} pixels; pictures of at most ${most.toLocaleString('en')} are read`);
  }
}
