import * as tf from '@tensorflow/tfjs-core';
import { encodeWeights, loadWeights, namedWeights } from '@tfjs-ssl/layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type MlpHeadOptions, mlpHead } from './mlp-head.ts';

const names = (options: Partial<MlpHeadOptions>) =>
  Object.keys(namedWeights(mlpHead({ inputSize: 4, hiddenSizes: [3], outputSize: 2, ...options })).parameters);

describeEngines('mlpHead', () => {
  it('computes two layers with a rectifier in between', async () => {
    const head = mlpHead({ inputSize: 2, hiddenSizes: [2], outputSize: 1 });
    head.setWeights([
      tf.tensor2d([1, -1, 2, 1], [2, 2]),
      tf.tensor1d([0, 1]),
      tf.tensor2d([10, 100], [2, 1]),
      tf.tensor1d([0.5]),
    ]);
    // h = [3, -1]: W_1 h + b_1 = [3 - 2, -3 - 1 + 1] = [1, -3]; rectified [1, 0]; 10 + 0.5.
    await expectClose(head.apply(tf.tensor2d([[3, -1]])) as tf.Tensor, [10.5]);
  });

  it("names its weights as PyTorch's nn.Sequential", () => {
    expect(names({})).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    expect(names({ hiddenSizes: [] })).toEqual(['0.weight', '0.bias']);
    expect(names({ useBias: false })).toEqual(['0.weight', '2.weight']);
    expect(names({ batchNorm: 'hidden' })).toEqual(['0.weight', '1.weight', '1.bias', '3.weight', '3.bias']);
    expect(names({ batchNorm: 'all', hiddenSizes: [3, 3] })).toEqual([
      ...['0.weight', '1.weight', '1.bias'],
      ...['3.weight', '4.weight', '4.bias'],
      ...['6.weight', '7.weight', '7.bias'],
    ]);
  });

  it('rectifies behind batch norm, but not at the end', async () => {
    const head = mlpHead({ inputSize: 3, hiddenSizes: [5], outputSize: 4, batchNorm: 'all', seed: 2 });
    const x = tf.randomNormal([16, 3], 0, 1, 'float32', 1);
    const z = head.apply(x, { training: true }) as tf.Tensor;
    await expectClose(tf.mean(z, 0), [0, 0, 0, 0], { atol: 1e-5 }); // normalised, with both signs
    expect((await tf.min(z).data())[0]).toBeLessThan(0);
    const hidden = head.getLayer('1');
    const y = hidden.apply(head.getLayer('0').apply(x), { training: true }) as tf.Tensor;
    expect((await tf.min(y).data())[0]).toBe(0);
    expect((await tf.max(y).data())[0]).toBeGreaterThan(0);
  });

  it('takes another seed for other weights, and loads the file of its kind', async () => {
    const options = { inputSize: 4, hiddenSizes: [3], outputSize: 2, batchNorm: 'hidden' } as const;
    const [a, b] = [mlpHead({ ...options, seed: 1 }), mlpHead({ ...options, seed: 2 })];
    const x = tf.randomNormal([5, 4], 0, 1, 'float32', 1);
    expect(await encodeWeights(b)).not.toEqual(await encodeWeights(a));
    await loadWeights(b, await encodeWeights(a));
    await expectClose(b.apply(x) as tf.Tensor, a.apply(x) as tf.Tensor, {});
  });

  it('gives back all memory', async () => {
    const x = tf.ones([2, 4]);
    await expectNoLeak(() => {
      const head = mlpHead({ inputSize: 4, hiddenSizes: [3, 3], outputSize: 2, batchNorm: 'all' });
      (head.apply(x, { training: true }) as tf.Tensor).dispose();
      head.dispose();
    });
  });

  it('refuses what it cannot build', () => {
    expect(() => names({ inputSize: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mlpHead: inputSize must be an integer of at least 1, got 0. It is a number of features.]`,
    );
    expect(() => names({ hiddenSizes: [4, 2.5] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mlpHead: hiddenSizes[1] must be an integer of at least 1, got 2.5. It is a number of features.]`,
    );
    expect(() => names({ outputSize: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mlpHead: outputSize must be an integer of at least 1, got -1. It is a number of features.]`,
    );
    expect(() => names({ batchNorm: true as unknown as 'all' })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mlpHead: batchNorm must be 'none', 'hidden' or 'all', got true. Choose one of these.]`,
    );
  });
});
