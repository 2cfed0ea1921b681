import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { encodeWeights, loadHead, mlpHead, readWeights, simclrHead, simclrV2Head } from './index.ts';

const features = () => tf.randomNormal([3, 4], 0, 1, 'float32', 1);

describeEngines('loadHead', () => {
  it('builds every kind of head from its file', async () => {
    const sizes = { inputSize: 4, hiddenSizes: [3, 5], outputSize: 2, seed: 1 };
    const heads = [
      mlpHead({ inputSize: 4, hiddenSizes: [2], outputSize: 128 }),
      simclrHead({ inputSize: 4 }),
      simclrV2Head({ inputSize: 4 }),
      mlpHead({ ...sizes, batchNorm: 'hidden' }),
      mlpHead({ ...sizes, batchNorm: 'hidden', useBias: false }),
      mlpHead({ ...sizes, useBias: false }),
      mlpHead({ ...sizes, hiddenSizes: [] }),
      mlpHead({ ...sizes, hiddenSizes: [], batchNorm: 'all' }),
    ];
    for (const head of heads) {
      const loaded = await loadHead(await encodeWeights(head), { name: 'loaded' });
      expect(loaded.name).toBe('loaded');
      expect(loaded.countParams()).toBe(head.countParams());
      await expectClose(loaded.predict(features()), head.predict(features()), {});
    }
    expect((await readWeights(await encodeWeights(heads[3] as never))).metadata).toMatchObject({
      architecture: 'mlpHead',
      sizes: '[4,3,5,2]',
      batchNorm: 'hidden',
      bias: 'true',
    });
  });

  it('takes the head of a prefix, and leaves the rest of the file', async () => {
    const [projector, predictor] = [1, 2].map((seed) =>
      mlpHead({ inputSize: 4, hiddenSizes: [3], outputSize: 2, seed }),
    ) as [ReturnType<typeof mlpHead>, ReturnType<typeof mlpHead>];
    const both = await encodeWeights({ projector, predictor });
    const loaded = await loadHead(both, { prefix: 'predictor.' });
    await expectClose(loaded.predict(features()), predictor.predict(features()), {});
    await expect(loadHead(both)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadHead: source must hold a projection head's weights at one place, got prefixes 'projector.', 'predictor.'. Pass prefix.]`,
    );
    const { tensors } = await readWeights(await encodeWeights({ head: projector }));
    const kernel = { dtype: 'F32', shape: [1, 1, 1, 1], data: Float32Array.of(1) } as const;
    const alone = await loadHead({ tensors: { ...tensors, '0.weight': kernel, 'conv1.weight': kernel }, metadata: {} });
    await expectClose(alone.predict(features()), projector.predict(features()), {});
  });

  it('refuses what is no head', async () => {
    const kernel = { dtype: 'F32', shape: [1, 1, 1, 1], data: Float32Array.of(1) } as const;
    await expect(
      loadHead({ tensors: { '0.weight': kernel, '1.weight': kernel }, metadata: {} }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadHead: source must hold a projection head's weights, got 1.weight. Check the file.]`,
    );
    const { tensors } = await readWeights(
      await encodeWeights(mlpHead({ inputSize: 2, hiddenSizes: [2], outputSize: 2 })),
    );
    const { '2.bias': _, ...lacking } = tensors;
    await expectNoLeak(async () => {
      await expect(loadHead({ tensors: lacking, metadata: {} })).rejects.toThrowErrorMatchingInlineSnapshot(
        `[RangeError: loadWeights: source must fit the model, got differences: the file lacks 2.bias. Check architecture and names, or pass strict: false to load what fits.]`,
      );
    });
  });
});
