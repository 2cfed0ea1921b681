import * as tf from '@tensorflow/tfjs-core';
import { checkNumber, type NumberRule } from '@tfjs-ssl/checks';
import { adjustHue } from './adjust-hue.ts';
import { blend } from './blend.ts';
import { checkImages, checkInterval } from './check.ts';
import { luminance } from './to-grayscale.ts';
import { defineTransform, type Transform } from './transform.ts';
import { uniform, uniformPermutation } from './uniform.ts';

/** Options of {@link colorJitter}. */
export interface ColorJitterOptions {
  /** Strength b: the factor is uniform in [max(0, 1 - b), 1 + b]; or that interval itself. Default: 0. */
  readonly brightness?: number | readonly [number, number];
  /** Likewise. Default: 0. */
  readonly contrast?: number | readonly [number, number];
  /** Likewise. Default: 0. */
  readonly saturation?: number | readonly [number, number];
  /** Strength h, turns, at most 0.5: the shift is uniform in [-h, h]; or that interval itself. Default: 0. */
  readonly hue?: number | readonly [number, number];
}

const columns = ['first', 'second', 'third', 'fourth', 'brightness', 'contrast', 'saturation', 'hue'] as const;
type JitterTensors = Readonly<Record<(typeof columns)[number], tf.Tensor1D>>;

/**
 * Changes brightness, contrast, saturation and hue by random factors, in random order.
 *
 * The factors are drawn independently, and each of the 24 orders is equally likely. After each operation, values are clamped
 * to [0, 1]. One-channel images change only in brightness and contrast. A factor of exactly 1 (shift of 0) leaves its operation out,
 * as torchvision does for a strength of 0.
 *
 * @param options - see {@link ColorJitterOptions}.
 * @returns the transform, always applied (see `randomApply` for less). Columns `applied`; `first` to `fourth`, the operations in the
 * sequence in which they run (0 brightness, 1 contrast, 2 saturation, 3 hue); and the factors `brightness`, `contrast`,
 * `saturation`, `hue`.
 * @throws RangeError if a strength is negative or an interval leaves its range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { colorJitter, imageRng } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const jitter = colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 });
 * const drawn = jitter.sample(imageRng({ seed: 0, epoch: 0, image: 0, view: 0 }), [8, 8]);
 * console.log(drawn, jitter.apply(tf.randomUniform([1, 8, 8, 3]), [drawn]).shape); // [1, 8, 8, 3]
 * ```
 *
 * @see `torchvision.transforms.ColorJitter`
 */
export function colorJitter(options: ColorJitterOptions): Transform {
  const brightness = factorRange('brightness', options.brightness ?? 0);
  const contrast = factorRange('contrast', options.contrast ?? 0);
  const saturation = factorRange('saturation', options.saturation ?? 0);
  const hue = hueRange(options.hue ?? 0);
  return defineTransform({
    name: 'colorJitter',
    columns,
    probability: 1,
    neutral: { first: 0, second: 1, third: 2, fourth: 3, brightness: 1, contrast: 1, saturation: 1, hue: 0 },
    stages: [{ kind: 'colorJitter' }],
    draw(rng) {
      const [first, second, third, fourth] = uniformPermutation(rng, 4) as [number, number, number, number];
      return {
        first,
        second,
        third,
        fourth,
        brightness: uniform(rng, brightness),
        contrast: uniform(rng, contrast),
        saturation: uniform(rng, saturation),
        hue: uniform(rng, hue),
      };
    },
    apply: jitter,
  });
}

/**
 * The order differs from image to image, so every image goes through three places before the hue shift and three after it; at each
 * place its factor is that of the operation which its order puts there, or 1.
 */
function jitter(images: tf.Tensor4D, parameters: JitterTensors): tf.Tensor4D {
  checkImages('colorJitter', images, 'colors');
  const { first, second, third, fourth, brightness, contrast, saturation, hue } = parameters;
  const tint = images.shape[3] === 1 ? 1 : saturation; // one channel has no colour to fade
  const order = [first, second, third, fourth];
  const hueAt = tf.addN(order.map((operation, place) => tf.mul(tf.cast(tf.equal(operation, 3), 'float32'), place)));
  const blends = [0, 1, 2].map((place) => {
    const beforeHue = tf.greater(hueAt, place);
    return { beforeHue, operation: tf.where(beforeHue, order[place]!, order[place + 1]!) };
  });
  const run = (x: tf.Tensor4D, operation: tf.Tensor, active: tf.Tensor): tf.Tensor4D => {
    const chosen = (code: number) => tf.cast(tf.logicalAnd(active, tf.equal(operation, code)), 'float32');
    const [darken, flatten, fade] = [chosen(0), chosen(1), chosen(2)];
    const idle = tf.sub(1, tf.addN([darken, flatten, fade]));
    const factor = tf.addN([tf.mul(darken, brightness), tf.mul(flatten, contrast), tf.mul(fade, tint), idle]);
    const gray = luminance(x);
    const pivot = tf.add(tf.mul(column(flatten), tf.mean(gray, [1, 2, 3], true)), tf.mul(column(fade), gray));
    return blend(x, pivot, column(factor));
  };
  let x = images;
  for (const { beforeHue, operation } of blends) x = run(x, operation, beforeHue);
  x = tf.where(column(tf.equal(hue, 0)), x, adjustHue(x, hue));
  for (const { beforeHue, operation } of blends) x = run(x, operation, tf.logicalNot(beforeHue));
  return x;
}

const column = (values: tf.Tensor): tf.Tensor4D => tf.reshape(values, [-1, 1, 1, 1]);

function factorRange(name: string, strength: number | readonly [number, number]): readonly [number, number] {
  const rule: NumberRule = { min: 0 };
  if (typeof strength === 'number') {
    checkNumber('colorJitter', name, strength, rule, 'It is half the width of the interval of factors around 1.');
    return [Math.max(0, 1 - strength), 1 + strength];
  }
  checkInterval('colorJitter', name, strength, rule);
  return strength;
}

function hueRange(strength: number | readonly [number, number]): readonly [number, number] {
  if (typeof strength === 'number') {
    checkNumber('colorJitter', 'hue', strength, { min: 0, max: 0.5 }, 'It is in turns: 0.5 is half the colour circle.');
    return [-strength, strength];
  }
  checkInterval('colorJitter', 'hue', strength, { min: -0.5, max: 0.5 });
  return strength;
}
