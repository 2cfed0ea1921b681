import * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionGeometry, convolutionGeometry } from '@tfjs-ssl/ops';
import {
  type ConvolutionOperands,
  type Convolved,
  convolvePlainly,
  expectClose,
  relativeError,
} from '@tfjs-ssl/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simdEngine } from '../index.ts';
import { STRIDED, stridedGradientShape, winogradShape } from './winograd-shape.ts';

beforeAll(async () => {
  await simdEngine.start({ threads: Number(process.env.TFJS_SSL_THREADS ?? 2) });
});
afterAll(() => simdEngine.stop());

/** Numbers in [0, 1), always the same. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Convolution {
  readonly g: ConvolutionGeometry;
  readonly stride: number;
  readonly pad: 'same' | 'valid' | number;
}

/** Values between -1 and 1 for a convolution. */
function operands(g: ConvolutionGeometry, random: () => number, positive = false): ConvolutionOperands {
  const filled = (size: number, low: number) => Float32Array.from({ length: size }, () => low + (1 - low) * random());
  return {
    x: filled(g.images * g.height * g.width * g.channels, positive ? 0 : -1),
    w: filled(g.filterHeight * g.filterWidth * g.channels * g.outputChannels, -1),
    dy: filled(g.images * g.outputHeight * g.outputWidth * g.outputChannels, -1),
  };
}

/** A convolution and its gradients on a backend. */
async function computeOn(backend: string, { g, stride, pad }: Convolution, values: ConvolutionOperands) {
  await tf.setBackend(backend);
  const results = tf.tidy(() => {
    const x = tf.tensor4d(values.x, [g.images, g.height, g.width, g.channels]);
    const w = tf.tensor4d(values.w, [g.filterHeight, g.filterWidth, g.channels, g.outputChannels]);
    const f = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
    const y = f(x, w);
    return [y, ...tf.grads(f)([x, w], tf.tensor(values.dy, y.shape))];
  });
  const [y, dx, dw] = (await Promise.all(results.map((tensor) => tensor.data()))) as Float32Array[];
  tf.dispose(results);
  return { y: y!, dx: dx!, dw: dw! };
}

const keys = ['y', 'dx', 'dw'] as const;

async function expectAlike(got: Convolved<Float32Array>, expected: Convolved): Promise<void> {
  for (const key of keys) {
    const values = Float32Array.from(expected[key]);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    await expectClose(got[key], values, { atol: 1e-5 * largest });
  }
}

describe('any shape', () => {
  /** Multiplications of a case, at most. */
  const WORK = 1.5e7;

  function draw(random: () => number, work: number): Convolution {
    const integer = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
    const skewed = (high: number) => Math.max(1, Math.round(high ** random()));
    const channels = () => (random() < 0.6 ? 8 * integer(1, 25) : integer(1, 200));
    while (true) {
      const filter = random() < 0.7 ? 3 : integer(1, 5);
      const stride = random() < 0.6 ? 1 : integer(2, 3);
      const pad = (['same', 'valid', filter >> 1] as const)[integer(0, 2)]!;
      const [channelsIn, channelsOut] = [channels(), channels()];
      const g = convolutionGeometry(
        [skewed(16), skewed(70), skewed(70), channelsIn],
        [filter, random() < 0.9 ? filter : integer(1, 5), channelsIn, channelsOut],
        { strides: [stride, stride], pad, dataFormat: 'NHWC', dilations: [1, 1] },
      );
      if (!g || g.outputHeight < 1 || g.outputWidth < 1) continue;
      const products = g.images * g.outputHeight * g.outputWidth * g.outputChannels * g.filterHeight * g.filterWidth;
      if (products * g.channels <= work) return { g, stride, pad };
    }
  }

  it('agrees with a plain computation in float64, 300 at random, every fifth in tiles', async () => {
    const random = generator(1);
    for (let i = 0; i < 300; i++) {
      let convolution = draw(random, WORK);
      while (i % 5 === 0 && !winogradShape(convolution.g)) convolution = draw(random, WORK);
      const values = operands(convolution.g, random);
      await expectAlike(
        await computeOn('simd', convolution, values),
        convolvePlainly(convolution.g, values, Float64Array),
      );
    }
  });

  it('agrees with a plain computation in float64, 15 at random at stride 2 in tiles, every second one in its input gradient too', async () => {
    const random = generator(3);
    const suits = ({ g }: Convolution, gradient: boolean) =>
      winogradShape(g)?.kind === STRIDED && (stridedGradientShape(g) !== null || !gradient);
    for (let i = 0; i < 15; i++) {
      let convolution = draw(random, 4 * WORK);
      while (!suits(convolution, i % 2 === 0)) convolution = draw(random, 4 * WORK);
      const values = operands(convolution.g, random);
      await expectAlike(
        await computeOn('simd', convolution, values),
        convolvePlainly(convolution.g, values, Float64Array),
      );
    }
  });

  it.each([
    [2, 16, 264, 1, 3],
    [5, 16, 264, 2, 4],
    [3, 264, 16, 2, 3],
    [4, 264, 16, 2, 'valid'],
  ] as const)(
    'side %i, %i channels to %i, stride %i, padding %s: sums without any tap, of more than 256 channels, are 0',
    async (side, channels, outputChannels, stride, pad) => {
      const g = convolutionGeometry([2, side, side, channels], [3, 3, channels, outputChannels], {
        strides: [stride, stride],
        pad,
        dataFormat: 'NHWC',
        dilations: [1, 1],
      })!;
      const values = operands(g, generator(4));
      await expectAlike(await computeOn('simd', { g, stride, pad }, values), convolvePlainly(g, values, Float64Array));
    },
  );

  it('agrees with the cpu backend, 40 small ones at random', async () => {
    const random = generator(2);
    for (let i = 0; i < 40; i++) {
      const convolution = draw(random, WORK / 50);
      const values = operands(convolution.g, random);
      await expectAlike(await computeOn('simd', convolution, values), await computeOn('cpu', convolution, values));
    }
  });
});

describe('errors', () => {
  it.each([
    [2, 16, 16, 16, 1],
    [1, 13, 24, 16, 1],
    [2, 16, 64, 64, 1],
    [4, 8, 128, 128, 1],
    [2, 7, 96, 136, 1],
    [8, 4, 256, 256, 1],
    [8, 2, 512, 512, 1],
    [1, 28, 32, 32, 1],
    [8, 4, 32, 264, 1],
    [8, 4, 16, 544, 1],
    [8, 4, 544, 16, 1],
    [12, 16, 64, 64, 2],
    [12, 16, 64, 128, 2],
    [48, 8, 128, 256, 2],
    [12, 15, 96, 136, 2],
    [1, 56, 64, 64, 2],
    [12, 16, 64, 544, 2],
    [12, 16, 544, 64, 2],
  ])(
    '%i images of %i x %i channels to %i at stride %i are at most three times those of plain sums in float32',
    async (images, side, channels, outputChannels, stride) => {
      const g = convolutionGeometry([images, side, side, channels], [3, 3, channels, outputChannels], {
        strides: [stride, stride],
        pad: 1,
        dataFormat: 'NHWC',
        dilations: [1, 1],
      })!;
      expect(winogradShape(g)).not.toBeNull();
      if (stride === 2) expect(stridedGradientShape(g) === null).toBe(channels * outputChannels > 128 * 128);
      const values = operands(g, generator(3), true);
      const exact = convolvePlainly(g, values, Float64Array);
      const plain = convolvePlainly(g, values, Float32Array);
      const got = await computeOn('simd', { g, stride, pad: 1 }, values);
      for (const key of keys) {
        expect(relativeError(got[key], exact[key]), key).toBeLessThan(3 * relativeError(plain[key], exact[key]));
      }
    },
  );
});
