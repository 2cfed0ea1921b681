import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { imageTensor } from './index.ts';

describeEngines('imageTensor', () => {
  it("gives torchvision's float32 value of every byte", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const expected = Float32Array.from(bytes, (byte) => byte / 255);
    const images = imageTensor(bytes, [2, 8, 4, 4]);
    expect([images.shape, images.dtype]).toEqual([[2, 8, 4, 4], 'float32']);
    expect(await images.data()).toEqual(expected);
    expect(await imageTensor(new Uint8ClampedArray(bytes), [1, 16, 4, 4]).data()).toEqual(expected);
  });

  it('refuses another number of bytes, and floats', () => {
    expect(() => imageTensor(new Uint8Array(11), [1, 2, 2, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageTensor: pixels must hold 12 bytes for shape [1, 2, 2, 3], got 11. Check the shape.]`,
    );
    expect(() =>
      imageTensor(new Float32Array(12) as unknown as Uint8Array, [1, 2, 2, 3]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: imageTensor: pixels must be a Uint8Array or Uint8ClampedArray, got Float32Array. For floats, use tf.tensor4d.]`,
    );
  });
});
