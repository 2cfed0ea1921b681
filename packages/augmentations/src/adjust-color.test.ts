import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { adjustBrightness } from './adjust-brightness.ts';
import { adjustContrast } from './adjust-contrast.ts';
import { adjustHue } from './adjust-hue.ts';
import { adjustSaturation } from './adjust-saturation.ts';
import { colorJitter } from './color-jitter.ts';
import { compose } from './compose.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { toGrayscale } from './to-grayscale.ts';

const pixels = (values: number[], count = 1): tf.Tensor4D =>
  tf.tensor4d(values, [count, 1, values.length / 3 / count, 3]);
const someImages = (): tf.Tensor4D => tf.randomUniform([3, 5, 4, 3], 0, 1, 'float32', 7);

describeEngines('brightness, contrast, saturation, hue, gray', () => {
  it('brightness scales and clamps', async () => {
    await expectClose(adjustBrightness(pixels([0.1, 0.5, 0.9]), 1.5), [0.15, 0.75, 1]);
    await expectClose(adjustBrightness(pixels([0.1, 0.5, 0.9]), 0), [0, 0, 0]);
  });

  it('contrast pivots on the mean gray of each image', async () => {
    // Two gray pixels of 0.2 and 0.6: mean gray 0.9999 * 0.4; the second image is black.
    const x = pixels([0.2, 0.2, 0.2, 0.6, 0.6, 0.6, 0, 0, 0, 0, 0, 0], 2);
    const pivot = 0.9999 * 0.4;
    await expectClose((await adjustContrast(x, 0.5).data()).slice(0, 6), [
      ...Array(3).fill(0.1 + 0.5 * pivot),
      ...Array(3).fill(0.3 + 0.5 * pivot),
    ]);
    await expectClose((await adjustContrast(x, 0.5).data()).slice(6), [0, 0, 0, 0, 0, 0]);
  });

  it('saturation pivots on the gray of each pixel', async () => {
    await expectClose(adjustSaturation(pixels([1, 0, 0, 0, 0, 0.5]), 0), [0.2989, 0.2989, 0.2989, 0.057, 0.057, 0.057]);
    await expectClose(adjustSaturation(pixels([0.4, 0.2, 0]), 2), [0.8 - 0.23696, 0.4 - 0.23696, 0]);
  });

  it('gray has equal channels', async () => {
    await expectClose(toGrayscale(pixels([1, 0, 0, 0, 1, 0, 0, 0, 1])), [
      ...[0.2989, 0.2989, 0.2989],
      ...[0.587, 0.587, 0.587],
      ...[0.114, 0.114, 0.114],
    ]);
  });

  it('hue turns the colour circle', async () => {
    const red = pixels([0.8, 0.2, 0.2]);
    await expectClose(adjustHue(red, 1 / 3), [0.2, 0.8, 0.2]);
    await expectClose(adjustHue(red, -1 / 3), [0.2, 0.2, 0.8]);
    await expectClose(adjustHue(red, 0.5), [0.2, 0.8, 0.8]);
    await expectClose(adjustHue(red, -0.5), [0.2, 0.8, 0.8]);
    await expectClose(adjustHue(red, 1 / 12), [0.8, 0.5, 0.2]);
  });

  it('hue leaves gray pixels alone and holds at ties', async () => {
    await expectClose(adjustHue(pixels([0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1]), 0.3), [0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1], {});
    await expectClose(adjustHue(pixels([1, 1, 0, 0, 1, 1, 1, 0, 1]), 1 / 3), [0, 1, 1, 1, 0, 1, 1, 1, 0]);
  });

  it('factor 1 and shift 0 are the identity', async () => {
    const x = someImages();
    await expectClose(adjustBrightness(x, 1), x, {});
    await expectClose(adjustContrast(x, 1), x, {});
    await expectClose(adjustSaturation(x, 1), x, {});
    await expectClose(adjustHue(x, 0), x, { atol: 1e-6 });
  });

  it('a shift there and back is the identity', async () => {
    const x = someImages();
    await expectClose(adjustHue(adjustHue(x, [0.1, 0.3, 0.5]), [-0.1, -0.3, -0.5]), x, { atol: 1e-5 });
  });

  it.each([
    ['adjustBrightness', adjustBrightness, [0.5, 1.5, 1]],
    ['adjustContrast', adjustContrast, [0.5, 1.5, 1]],
    ['adjustSaturation', adjustSaturation, [0.5, 1.5, 1]],
    ['adjustHue', adjustHue, [0.2, -0.4, 0]],
  ] as const)('%s takes one number per image, as array or tensor, and gives back all memory', async (_, f, factors) => {
    const x = someImages();
    const together = f(x, factors);
    await expectClose(f(x, tf.tensor1d([...factors])), together, {});
    for (const [i, factor] of factors.entries()) {
      const alone = f(tf.slice(x, i, 1), factor);
      await expectClose(alone, tf.slice(together, i, 1), { atol: 1e-6 });
    }
    await expectNoLeak(() => f(x, factors).dispose());
  });

  it('NaN stays in its image', async () => {
    const x = tf.concat([tf.fill([1, 2, 2, 3], Number.NaN), tf.fill([1, 2, 2, 3], 0.5)]) as tf.Tensor4D;
    for (const f of [adjustBrightness, adjustContrast, adjustSaturation, adjustHue]) {
      const y = [...(await f(x, 0.5).data())];
      expect(y.slice(0, 12).every(Number.isNaN)).toBe(true);
      expect(y.slice(12).every(Number.isFinite)).toBe(true);
    }
  });

  it('takes one channel as torchvision does: contrast around its mean, no colour to change', async () => {
    const x = tf.tensor4d([0.2, 0.4, 0.9, 0.1], [2, 1, 2, 1]);
    await expectClose(adjustBrightness(x, 1.5), [0.3, 0.6, 1, 0.15]);
    await expectClose(adjustContrast(x, [0.5, 0]), [0.25, 0.35, 0.5, 0.5]);
    await expectClose(adjustSaturation(x, [0, 2]), x, {});
    await expectClose(adjustHue(x, [0.3, -0.5]), x, {});
    await expectClose(toGrayscale(x), x, {});
    for (const unchanged of [adjustSaturation(x, 0.5), adjustHue(x, 0.5), toGrayscale(x)]) {
      expect(unchanged.shape).toEqual(x.shape);
      unchanged.dispose();
    }
    expect(x.isDisposed).toBe(false);
  });

  it('takes one channel through the jitter and a whole chain', async () => {
    const x = tf.randomUniform<tf.Rank.R4>([2, 8, 8, 1], 0, 1, 'float32', 5);
    const order = { applied: 1, first: 1, second: 2, third: 3, fourth: 0 };
    const jitter = colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 });
    const drawn = [
      { ...order, brightness: 1.25, contrast: 0.5, saturation: 1.7, hue: 0.2 },
      { ...order, brightness: 0.75, contrast: 1.5, saturation: 0, hue: 0 },
    ];
    await expectClose(jitter.apply(x, drawn), adjustBrightness(adjustContrast(x, [0.5, 1.5]), [1.25, 0.75]), {
      atol: 1e-6,
    });
    const chain = compose([jitter, randomGrayscale({ p: 0.5 }), randomHorizontalFlip()]);
    const table = chain.sampleTable({ seed: 1, epoch: 0, indices: [0, 1], imageSize: 8 });
    // Of equal channels the same comes out as of one, but for torchvision's weights, which sum to 0.9999.
    const three = chain.apply(tf.tile(x, [1, 1, 1, 3]), table);
    const one = chain.apply(x, table);
    expect(one.shape).toEqual([4, 8, 8, 1]);
    await expectClose(one, tf.slice(three, [0, 0, 0, 0], [4, 8, 8, 1]), { atol: 1e-3 });
  });

  it('refuses what does not fit', () => {
    const x = someImages();
    expect(() => adjustBrightness(x, [1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustBrightness: factor must be one number or 3, one per image, got 2. Pass one number to treat all images alike.]`,
    );
    expect(() => adjustBrightness(x, tf.ones([2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustBrightness: factor must have shape [3], one number per image, got [2]. Pass one number to treat all images alike.]`,
    );
    expect(() => adjustContrast(x, -0.1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustContrast: factor must be finite numbers of at least 0, got -0.1. Correct it.]`,
    );
    expect(() => adjustSaturation(x, [1, Number.NaN, 1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustSaturation: factor must be finite numbers of at least 0, got NaN for image 1. Correct it.]`,
    );
    expect(() => adjustHue(x, 0.6)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustHue: shift must be finite numbers in [-0.5, 0.5], got 0.6. Correct it.]`,
    );
    expect(() => adjustHue(tf.ones([4, 4, 3]) as unknown as tf.Tensor4D, 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: adjustHue: images must have shape [N, H, W, 3] or [N, H, W, 1], got [4, 4, 3]. Add the batch axis to a single image; give RGB or gray, channels last.]`,
    );
    expect(() => toGrayscale(tf.ones([1, 4, 4, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: toGrayscale: images must have shape [N, H, W, 3] or [N, H, W, 1], got [1, 4, 4, 2]. Add the batch axis to a single image; give RGB or gray, channels last.]`,
    );
    expect(() => adjustBrightness(tf.ones([1, 4, 4, 3], 'int32'), 1)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adjustBrightness: images must be float32 in [0, 1], got int32. Convert them: tf.div(tf.cast(images, 'float32'), 255).]`,
    );
  });
});
