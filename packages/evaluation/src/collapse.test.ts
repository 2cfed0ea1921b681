import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { collapseSigns, effectiveRank, featureDeviation } from './index.ts';

describeEngines('featureDeviation', () => {
  it('is the mean deviation of normalised rows', async () => {
    // unit rows (1, 0), (0, 1): every column has deviation sqrt(2 (1/2)^2 / 1)
    await expectClose(
      featureDeviation(
        tf.tensor2d([
          [5, 0],
          [0, 0.1],
        ]),
      ),
      [Math.SQRT1_2],
      { rtol: 1e-6 },
    );
    await expectClose(
      featureDeviation(
        tf.tensor2d([
          [1, 2],
          [10, 20],
          [3, 6],
        ]),
      ),
      [0],
      { atol: 1e-6 },
    );
  });

  it('is about one over the root of the dimensions for rows that point everywhere', async () => {
    const spread = featureDeviation(tf.randomNormal([2000, 16], 0, 1, 'float32', 1));
    await expectClose(spread, [0.25], { atol: 0.005 });
  });

  it('is a constant to the gradient, and leaves nothing behind', async () => {
    const x = tf.randomNormal([4, 3], 0, 1, 'float32', 2) as tf.Tensor2D;
    const gradient = tf.grad((y: tf.Tensor) => tf.add(tf.sum(y), featureDeviation(y as tf.Tensor2D)))(x);
    await expectClose(gradient, new Array(12).fill(1), {});
    await expectNoLeak(() => featureDeviation(x).dispose());
  });

  it('refuses a single row', () => {
    expect(() => featureDeviation(tf.ones([1, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureDeviation: features must have at least 2 rows, got 1. One row has no deviation: pass the features of a batch.]`,
    );
  });
});

describeEngines('collapseSigns', () => {
  /** Ten images of two pixels, whose bytes tell their index. */
  const images = {
    length: 10,
    imageShape: [1, 2, 1] as const,
    read: async (indices: ArrayLike<number>) =>
      Uint8Array.from({ length: 2 * indices.length }, (_, i) => (i % 2 ? 100 : 10 * (indices[i >> 1] as number))),
  };
  const flat = (x: tf.Tensor4D) => tf.reshape(x, [x.shape[0], 2]);

  it('looks at images that are spread over the data set', async () => {
    const seen: number[] = [];
    const read = (indices: ArrayLike<number>) => {
      seen.push(...Array.from(indices));
      return images.read(indices);
    };
    await collapseSigns(flat, { ...images, read }, { sample: 4, batchSize: 3 });
    expect(seen).toEqual([0, 2, 5, 7]);
  });

  it('gives the deviation and the rank of their features', async () => {
    const signs = await collapseSigns(flat, images);
    const features = tf.tensor2d(
      Array.from(await images.read([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (b) => b / 255),
      [10, 2],
    );
    const deviation = await featureDeviation(features).array();
    expect(signs.deviation).toBeCloseTo(deviation, 6);
    expect(signs.effectiveRank).toBeCloseTo(await effectiveRank(features), 6);
    expect(signs.dimensions).toBe(2);
    const collapsed = await collapseSigns((x) => tf.ones([x.shape[0], 8]), images);
    expect(collapsed).toEqual({ deviation: expect.closeTo(0, 6), effectiveRank: expect.closeTo(1, 6), dimensions: 8 });
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      await collapseSigns(flat, images);
    });
  });

  it('refuses a sample that is none', async () => {
    await expect(collapseSigns(flat, images, { sample: 11 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: collapseSigns: sample must be an integer in [2, 10], got 11. It is a number of images of the data set.]`,
    );
    await expect(collapseSigns(flat, images, { sample: 1 })).rejects.toThrow(/sample must be an integer in \[2, 10\]/);
  });
});
