import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { type Picture, pictureSheet } from './picture-sheet.ts';

const picture = (first: number, width = 2, height = 1): Picture => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => first + i),
});

describe('pictureSheet', () => {
  it('puts pictures in rows, with transparent pixels between and after them', () => {
    const { width, height, channels, data } = decode(
      pictureSheet([[picture(1), picture(11)], [picture(21)]], { gap: 1 }),
    );
    expect({ width, height, channels }).toEqual({ width: 5, height: 3, channels: 4 });
    const nothing = [0, 0, 0, 0];
    expect(Array.from({ length: 15 }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)])).toEqual([
      ...[[1, 2, 3, 255], [4, 5, 6, 255], nothing, [11, 12, 13, 255], [14, 15, 16, 255]],
      ...[nothing, nothing, nothing, nothing, nothing],
      ...[[21, 22, 23, 255], [24, 25, 26, 255], nothing, nothing, nothing],
    ]);
  });

  it('says what is wrong with its pictures', () => {
    expect(() => pictureSheet([])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pictureSheet: rows must hold at least one picture, got none. Pass at least one picture.]`,
    );
    expect(() => pictureSheet([[picture(1), picture(1, 1, 2)]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pictureSheet: rows must hold pictures of one size, 2 x 1 pixels of three bytes like the first, got 1 x 2 pixels and 6 bytes. Resize the pictures, or make several sheets.]`,
    );
    expect(() => pictureSheet([[{ ...picture(1), data: new Uint8Array(5) }]])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pictureSheet: rows must hold pictures of one size, 2 x 1 pixels of three bytes like the first, got 2 x 1 pixels and 5 bytes. Resize the pictures, or make several sheets.]`,
    );
  });
});
