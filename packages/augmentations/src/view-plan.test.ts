import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, packImages } from '@tfjs-ssl/ops';
import { describeEngines, expectClose, expectNoLeak, worstDeviation } from '@tfjs-ssl/testing';
import { expect, expectTypeOf, it, vi } from 'vitest';
import { byolChains } from './byol-chains.ts';
import type { ImageSize } from './check.ts';
import { colorJitter } from './color-jitter.ts';
import { type Chain, compose } from './compose.ts';
import { dinoChains, type MultiCropChains, swavChains } from './multi-crop.ts';
import { normalizeImages } from './normalize-images.ts';
import { simclrChain } from './presets.ts';
import { randomApply } from './random-apply.ts';
import { randomGaussianBlur } from './random-gaussian-blur.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { randomResizedCrop } from './random-resized-crop.ts';
import { randomSolarize } from './random-solarize.ts';
import { defineTransform } from './transform.ts';
import { type ViewChains, viewPlan } from './view-plan.ts';

const imageSize = [24, 20] as const;
const keys = { seed: 3, epoch: 1, indices: [10, 20, 30] };
const pixels = Uint8Array.from({ length: 3 * 24 * 20 * 3 }, (_, i) => (i * 89 + 17 * (i >> 8)) % 256);
const images = (): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from(pixels, (byte) => byte / 255),
    [3, ...imageSize, 3],
  );

/** A transform of a user's own: without stages. */
const square = defineTransform({
  name: 'square',
  columns: [],
  probability: 0.5,
  neutral: {},
  draw: () => ({}),
  apply: (x) => tf.square(x),
});
const jitter = () => randomApply(colorJitter({ brightness: 0.4, contrast: 0.4, hue: 0.1 }), { p: 0.8 });
const crop = (options: { size: number; antialias?: boolean }) => randomResizedCrop(options);

/** Plans, and how many fused kernels each takes where the engine has them. */
const plans: Record<string, { chains: ViewChains; kernels: number }> = {
  BYOL: { chains: byolChains({ size: 12 }), kernels: 1 },
  SwAV: { chains: swavChains({ size: 16, smallSize: 8 }), kernels: 2 },
  DINO: { chains: dinoChains({ size: 16, smallSize: 9, smallViews: 3 }), kernels: 2 },
  'one chain': { chains: [simclrChain({ size: 12 }), simclrChain({ size: 12 })], kernels: 1 },
  'transforms in another order': {
    chains: [
      compose([crop({ size: 12 }), randomHorizontalFlip(), jitter(), randomGrayscale()]),
      compose([randomGaussianBlur({ kernelSize: 3, p: 0.5 }), crop({ size: 12 }), randomGrayscale(), jitter()]),
      compose([crop({ size: 12 })]),
    ],
    kernels: 1,
  },
  'a transform without a kernel in one of them': {
    chains: [
      compose([crop({ size: 12 }), jitter(), randomSolarize()]),
      compose([crop({ size: 12 }), jitter(), square, randomSolarize()]),
    ],
    kernels: 2,
  },
  'crops that differ, normalised': {
    chains: [
      compose([crop({ size: 12 }), normalizeImages({ mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] })]),
      compose([crop({ size: 12, antialias: false }), randomHorizontalFlip()]),
      compose([crop({ size: 12, antialias: false })]),
    ],
    kernels: 2,
  },
  'without a crop': { chains: [compose([randomHorizontalFlip()]), compose([randomGrayscale()])], kernels: 1 },
};

const groupsOf = (chains: ViewChains): Array<[string, readonly Chain[]]> =>
  Array.isArray(chains) ? [['', chains]] : Object.entries(chains as Record<string, readonly Chain[]>);
const tensorOf = (made: unknown, group: string): tf.Tensor4D =>
  (group === '' ? made : (made as Record<string, tf.Tensor4D>)[group]) as tf.Tensor4D;

describeEngines('viewPlan', () => {
  it.each(Object.entries(plans))('makes each view as its chain does alone, bit for bit: %s', async (_, { chains }) => {
    const x = images();
    const plan = viewPlan(chains);
    const made = plan.makeViews(x, keys);
    let first = 0;
    for (const [group, own] of groupsOf(chains)) {
      const views = tensorOf(made, group);
      expect(views.shape).toEqual([3 * own.length, ...own[0]!.outputSize(imageSize), 3]);
      for (const [i, chain] of own.entries()) {
        const view = first + i;
        const alone = tf.tidy(() => tf.slice(chain.makeViews(x, { ...keys, views: view + 1 }), 3 * view));
        const mine = tf.slice(views, 3 * i, 3);
        // TensorFlow's convolutions, which blur, round by the number of images
        if (tf.getBackend() === 'tensorflow') await expectClose(mine, alone, { atol: 1e-6 });
        else expect(await mine.data(), `view ${view}`).toEqual(await alone.data());
        tf.dispose([alone, mine]);
      }
      first += own.length;
    }
    expect(plan.views).toBe(first);
    tf.dispose([x, made as tf.TensorContainer]);
  });

  it.each(Object.entries(plans))('takes as few kernels as can be: %s', (_, { chains, kernels }) => {
    const x = images();
    const runKernel = vi.spyOn(tf.engine(), 'runKernel');
    tf.dispose(viewPlan(chains).makeViews(x, keys) as tf.TensorContainer);
    const fused = runKernel.mock.calls.filter(([name]) => name === 'AugmentImages');
    runKernel.mockRestore();
    expect(fused.length).toBe(hasKernel('AugmentImages') ? kernels : 0);
    x.dispose();
  });

  it.each(Object.entries(plans))('makes the same of packed images: %s', async (_, { chains }) => {
    const x = images();
    const plan = viewPlan(chains);
    const packed = packImages(pixels, imageSize);
    const indices = tf.tensor1d([0, 1, 2], 'int32');
    const table = plan.sampleTable({ ...keys, imageSize });
    const floats = plan.apply(x, table);
    const runKernel = vi.spyOn(tf.engine(), 'runKernel');
    const bytes = plan.applyPacked(packed, indices, table);
    const kernels = runKernel.mock.calls.map(([name]) => name);
    runKernel.mockRestore();
    if (hasKernel('AugmentPackedImages')) expect(kernels).toContain('AugmentPackedImages');
    for (const [group] of groupsOf(chains)) {
      const [a, b] = [await tensorOf(bytes, group).data(), await tensorOf(floats, group).data()];
      expect(worstDeviation(a, b, { atol: 1e-5 }).excess).toBeLessThanOrEqual(0);
    }
    tf.dispose([x, indices, table, [...packed.shards], floats as tf.TensorContainer, bytes as tf.TensorContainer]);
  });

  it('has one table, which depends on seed, epoch, image and view alone', async () => {
    const plan = viewPlan(swavChains({ size: 16, smallSize: 8, smallViews: 2 }));
    const rows = async (options: object = {}) => {
      const table = plan.sampleTable({ ...keys, imageSize, ...options });
      const values = await table.array();
      table.dispose();
      return values;
    };
    const all = await rows();
    expect([all.length, all[0]!.length]).toEqual([4 * 3, plan.tableColumns]);
    expect(await rows({ indices: [30, 10] })).toEqual([0, 1, 2, 3].flatMap((v) => [all[3 * v + 2], all[3 * v]]));
    expect(await rows({ epoch: 2 })).not.toContainEqual(all[0]);
    const chain = simclrChain();
    const [own, planned] = [
      chain.sampleTable({ ...keys, imageSize }),
      viewPlan([chain, chain]).sampleTable({ ...keys, imageSize }),
    ];
    expect(await planned.array()).toEqual(await own.array());
    expect((chain.apply(images(), planned) as tf.Tensor).shape).toEqual([6, 64, 64, 3]);
  });

  it('knows its sizes and types', () => {
    const list = viewPlan(byolChains({ size: 12 }));
    const groups = viewPlan(swavChains({ size: 16, smallSize: 8 }));
    expect(list.outputSize(24)).toEqual([12, 12]);
    expect(groups.outputSize(24)).toEqual({ large: [16, 16], small: [8, 8] });
    expectTypeOf(list.outputSize(24)).toEqualTypeOf<ImageSize>();
    expectTypeOf(list.apply).returns.toEqualTypeOf<tf.Tensor4D>();
    type Groups = { readonly [Name in keyof MultiCropChains]: tf.Tensor4D };
    expectTypeOf(groups.apply).returns.toEqualTypeOf<Groups>();
  });

  it('leaves no tensors behind', async () => {
    const x = images();
    for (const { chains } of Object.values(plans)) {
      const plan = viewPlan(chains);
      tf.dispose(plan.makeViews(x, keys) as tf.TensorContainer);
      await expectNoLeak(() => tf.dispose(plan.makeViews(x, keys) as tf.TensorContainer));
    }
    x.dispose();
  });

  it('says what is wrong', () => {
    const [large, small] = [simclrChain({ size: 16 }), simclrChain({ size: 8 })];
    expect(() => viewPlan([])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains must hold at least one chain, got none. Pass one chain for each view: [first, second].]`,
    );
    expect(() => viewPlan({ large: [large], small: [] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains.small must hold at least one chain, got none. Pass one chain for each view: [first, second].]`,
    );
    expect(() => viewPlan(undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains must hold at least one chain, got none. Pass one chain for each view: [first, second].]`,
    );
    expect(() =>
      viewPlan({ large: [large], small: [randomHorizontalFlip()] } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: viewPlan: chains.small[0] must be a chain, got the transform randomHorizontalFlip. Make one of transforms with compose.]`,
    );
    expect(() => viewPlan({ large } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: viewPlan: chains.large must be a list of chains, one for each view, got a chain. Pass [chain, chain] for two views.]`,
    );
    const mixed = viewPlan([large, small]);
    expect(() => mixed.sampleTable({ ...keys, imageSize })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains must lead to one size, as their views are one tensor, got 16 x 16 pixels for view 0 and 8 x 8 for view 1. Make a group for each size: { large: [...], small: [...] }.]`,
    );
    expect(() => viewPlan({ all: [large, large, small] }).outputSize(24)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains.all must lead to one size, as their views are one tensor, got 16 x 16 pixels for view 0 and 8 x 8 for view 2. Make a group for each size: { large: [...], small: [...] }.]`,
    );
    const plan = viewPlan({ large: [large], small: [small, small] });
    const x = images();
    expect(() => plan.apply(x, tf.zeros([6, plan.tableColumns]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: table must have shape [9, 17], 3 rows per image, got [6, 17]. Sample it with this plan for these images.]`,
    );
    expect(() => plan.apply(x, plan.sampleTable({ ...keys, imageSize: 9 }))).toThrow(
      /sampled for images of 24 x 20 pixels, got parameters for images of 9 x 9/,
    );
    expect(() =>
      plan.apply(x, viewPlan([large, small, small].reverse()).sampleTable({ ...keys, imageSize })),
    ).toThrow();
    expect(() => plan.makeViews(x, { ...keys, indices: [1] })).toThrow(/hold 3 elements, one per image, got 1/);
    expect(() => swavChains({ smallViews: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swavChains: smallViews must be an integer of at least 1, got 0. For large views alone, pass \`large\` as a list.]`,
    );
    expect(() => byolChains({ size: 0 })).toThrow(/randomResizedCrop: size must be/);
  });
});
