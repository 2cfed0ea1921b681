// @ts-check
// The rows of a PNG: https://www.w3.org/TR/png-3/#9Filters and #8InterlaceMethods.

/** The seven parts of an interlaced image: where each starts, and its steps. */
export const adam7 = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

/**
 * Undoes the filter of one row in place; the row before lies before it.
 *
 * @param {Uint8Array} data
 * @param {number} at where the row's filter byte is
 * @param {number} length bytes of the row without it
 * @param {number} step bytes to the pixel on the left
 * @param {boolean} first whether no row lies above
 * @returns {boolean} false for a filter that there is not
 */
export function unfilter(data, at, length, step, first) {
  const filter = data[at];
  const start = at + 1;
  const end = start + length;
  const up = length + 1;
  if (filter === 0) return true;
  if (filter > 4) return false;
  if (filter === 1) for (let i = start + step; i < end; i++) data[i] += data[i - step];
  else if (filter === 2 && !first) for (let i = start; i < end; i++) data[i] += data[i - up];
  else if (filter === 3) average(data, start, end, step, first ? 0 : up);
  else if (filter === 4) paeth(data, start, end, step, first ? 0 : up);
  return true;
}

/**
 * @param {Uint8Array} data
 * @param {number} start
 * @param {number} end
 * @param {number} step
 * @param {number} up
 */
function average(data, start, end, step, up) {
  for (let i = start; i < end; i++) {
    const left = i < start + step ? 0 : data[i - step];
    data[i] += (left + (up === 0 ? 0 : data[i - up])) >> 1;
  }
}

/**
 * @param {Uint8Array} data
 * @param {number} start
 * @param {number} end
 * @param {number} step
 * @param {number} up
 */
function paeth(data, start, end, step, up) {
  if (up === 0) {
    for (let i = start + step; i < end; i++) data[i] += data[i - step];
    return;
  }
  for (let i = start; i < start + step && i < end; i++) data[i] += data[i - up];
  for (let i = start + step; i < end; i++) {
    const left = data[i - step];
    const above = data[i - up];
    const corner = data[i - up - step];
    const fromLeft = Math.abs(above - corner);
    const fromAbove = Math.abs(left - corner);
    const fromCorner = Math.abs(left + above - 2 * corner);
    data[i] += fromLeft <= fromAbove && fromLeft <= fromCorner ? left : fromAbove <= fromCorner ? above : corner;
  }
}

/**
 * Writes the RGB of one row.
 *
 * @param {Uint8Array} row
 * @param {number} at where the row starts
 * @param {number} count pixels
 * @param {number} colourType
 * @param {number} depth
 * @param {Uint8Array | undefined} palette
 * @param {Uint8Array} rgb
 * @param {number} to where the first pixel goes
 * @param {number} step bytes between pixels there
 */
export function writeRow(row, at, count, colourType, depth, palette, rgb, to, step) {
  if (colourType === 2 || colourType === 6) {
    const sample = depth >> 3;
    const pixel = sample * (colourType === 2 ? 3 : 4);
    for (let i = 0; i < count; i++, at += pixel, to += step) {
      rgb[to] = row[at];
      rgb[to + 1] = row[at + sample];
      rgb[to + 2] = row[at + 2 * sample];
    }
    return;
  }
  const values = colourType === 3 ? palette : undefined;
  const scale = depth < 8 ? 255 / (2 ** depth - 1) : 1;
  const pixel = (depth >> 3) * (colourType === 4 ? 2 : 1);
  for (let i = 0; i < count; i++, to += step) {
    let value;
    if (depth < 8) value = (row[at + ((i * depth) >> 3)] >> (8 - depth - ((i * depth) & 7))) & (2 ** depth - 1);
    else
      value =
        depth === 16 && colourType === 0 && row[at + i * pixel] > 0
          ? 255
          : row[at + i * pixel + (depth === 16 && colourType === 0 ? 1 : 0)];
    if (values) {
      rgb[to] = values[3 * value];
      rgb[to + 1] = values[3 * value + 1];
      rgb[to + 2] = values[3 * value + 2];
    } else {
      const gray = value * scale;
      rgb[to] = gray;
      rgb[to + 1] = gray;
      rgb[to + 2] = gray;
    }
  }
}
