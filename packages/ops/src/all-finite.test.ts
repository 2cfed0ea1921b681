import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { allFinite } from './all-finite.ts';

describeEngines('allFinite', () => {
  const fine = () =>
    Array.from({ length: 30 }, (_, i) =>
      tf.fill(
        [i % 7, 1 + (i % 5)].map((n) => n + 1),
        i - 15,
      ),
    );

  it('is 1 where all is finite, the largest numbers included', async () => {
    const result = allFinite([...fine(), tf.tensor1d([3.4e38, -3.4e38, 1e-44, 0, -0]), tf.scalar(1)]);
    expect(result.shape).toEqual([]);
    expect(result.dtype).toBe('float32');
    expect(Array.from(await result.data())).toEqual([1]);
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
    'is 0 with one %s anywhere',
    async (bad) => {
      for (const at of [0, 700, 999]) {
        for (const position of [0, 13, 30]) {
          const values = new Float32Array(1000).fill(1);
          values[at] = bad;
          const tensors: tf.Tensor[] = fine();
          tensors.splice(position, 0, tf.tensor2d(values, [10, 100]));
          expect((await allFinite(tensors).data())[0]).toBe(0);
        }
      }
    },
  );

  it('leaves nothing behind, and refuses nothing at all', async () => {
    const tensors = fine();
    await expectNoLeak(() => allFinite(tensors).dispose());
    expect(() => allFinite([])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: allFinite: tensors must hold at least one tensor, got none. Pass the gradients of the step.]`,
    );
  });
});
