import { argumentError } from '@tfjs-ssl/checks';
import { encode } from 'fast-png';

/** A picture in RGB. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Rows of pixels of three bytes, `3 * width * height` of them. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Options of {@link pictureSheet}. */
export interface PictureSheetOptions {
  /** Transparent pixels between pictures. Default: 4. */
  readonly gap?: number;
}

/**
 * Puts pictures of one size side by side: an image above its views, for example.
 *
 * @param rows - rows of pictures, at least one with one; a row may be shorter than others.
 * @returns a PNG.
 * @throws RangeError if there is no picture, or the sizes differ.
 * @example
 * ```ts
 * import { pictureSheet } from '@tfjs-ssl/report';
 *
 * const grey = (level: number) => ({ width: 8, height: 8, data: new Uint8Array(3 * 8 * 8).fill(level) });
 * const png = pictureSheet([[grey(0), grey(80)], [grey(160), grey(255)]]);
 * console.log(png.length);
 * ```
 */
export function pictureSheet(rows: readonly (readonly Picture[])[], { gap = 4 }: PictureSheetOptions = {}): Uint8Array {
  const first = rows[0]?.[0];
  if (!first)
    throw argumentError({
      fn: 'pictureSheet',
      argument: 'rows',
      required: 'hold at least one picture',
      got: rows,
      shown: 'none',
      advice: 'Pass at least one picture.',
    });
  const { width, height } = first;
  const columns = Math.max(...rows.map((row) => row.length));
  const sheet = {
    width: columns * (width + gap) - gap,
    height: rows.length * (height + gap) - gap,
    channels: 4 as const,
  };
  const data = new Uint8Array(4 * sheet.width * sheet.height);
  for (const [r, row] of rows.entries()) {
    for (const [c, picture] of row.entries()) {
      checkSize(picture, first);
      for (let pixel = 0; pixel < width * height; pixel++) {
        const [y, x] = [r * (height + gap) + Math.floor(pixel / width), c * (width + gap) + (pixel % width)];
        data.set(picture.data.subarray(3 * pixel, 3 * pixel + 3), 4 * (y * sheet.width + x));
        data[4 * (y * sheet.width + x) + 3] = 255;
      }
    }
  }
  return encode({ ...sheet, depth: 8, data });
}

function checkSize({ width, height, data }: Picture, first: Picture): void {
  if (width !== first.width || height !== first.height || data.length !== 3 * width * height) {
    throw argumentError({
      fn: 'pictureSheet',
      argument: 'rows',
      required: `hold pictures of one size, ${first.width} x ${first.height} pixels of three bytes like the first`,
      got: [width, height],
      shown: `${width} x ${height} pixels and ${data.length} bytes`,
      advice: 'Resize the pictures, or make several sheets.',
    });
  }
}
