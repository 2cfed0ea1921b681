import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';
import type { AugmentStage } from '@tfjs-ssl/ops';
import { checkImages, checkProbability, type ImageSize } from './check.ts';
import type { Rng } from './image-rng.ts';

/** The sampled numbers of one image, by column. You can log them, store them and apply them again. */
export type Parameters<Name extends string = string> = Readonly<Record<Name, number>>;

/**
 * A random transform in two halves: `sample` draws plain numbers for one image, `apply` is a deterministic function of tensors.
 */
export interface Transform {
  /** Prefix of its columns in a chain, for example `'colorJitter'`. */
  readonly name: string;
  /** Names of its numbers, in the order of its columns in a parameter table. */
  readonly columns: readonly string[];
  /** Numbers that leave an image as it is; null if there are none because the transform changes the size. */
  readonly skipped: Parameters | null;
  /** Stages of the fused kernel that compute the same; null if there are none. */
  readonly stages: readonly AugmentStage[] | null;
  /**
   * Draws the numbers of one image.
   *
   * @param rng - see `imageRng`.
   * @param size - height and width of the image that will come in, pixels.
   */
  sample(rng: Rng, size: ImageSize): Parameters;
  /**
   * Transforms every image with its own numbers.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1].
   * @param parameters - N records, or a tensor of shape [N, columns].
   * @returns a new tensor, which the caller (or the surrounding `tf.tidy`) disposes.
   */
  apply(images: tf.Tensor4D, parameters: readonly Parameters[] | tf.Tensor2D): tf.Tensor4D;
  /** Height and width of the output for those of the input, pixels. */
  outputSize(size: ImageSize): ImageSize;
}

/** What {@link defineTransform} needs. */
export interface TransformDefinition<Name extends string> {
  /** Prefix of its columns in a chain, for example `'randomGamma'`. */
  readonly name: string;
  /** Names of the numbers that `apply` needs. */
  readonly columns: readonly Name[];
  /**
   * Probability that an image is transformed. A column `applied` (1 or 0) then comes first; an image with 0 stays as it is.
   * Leave it out for transforms that change the size: every image is transformed, and there is no such column.
   */
  readonly probability?: number;
  /** Harmless numbers for images that are not transformed; the result is computed but not used. */
  readonly neutral: Parameters<Name>;
  /** Stages of the fused kernel that do the same. Default: none. The transform then runs as its own function, and the transforms around it in a chain stay fused. */
  readonly stages?: readonly AugmentStage[];
  /** Draws the numbers for one transformed image of this size. */
  draw(rng: Rng, size: ImageSize): Parameters<Name>;
  /** Transforms all images of a batch, shape [N, H, W, C], float32; each parameter has shape [N]. Runs in a `tf.tidy`. */
  apply(images: tf.Tensor4D, parameters: Readonly<Record<Name, tf.Tensor1D>>): tf.Tensor4D;
  /** Height and width of the output for those of the input, pixels. Default: the same. */
  outputSize?(size: ImageSize): ImageSize;
}

/**
 * Makes a transform from its two halves. It adds the probability, the parameter table and the argument checks.
 *
 * @param definition - see {@link TransformDefinition}.
 * @returns the transform, to be used alone or in a chain.
 * @throws RangeError if the probability is not in [0, 1].
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { compose, defineTransform, type Transform } from '@tfjs-ssl/augmentations';
 *
 * const randomGamma = (p: number): Transform =>
 *   defineTransform({
 *     name: 'randomGamma',
 *     columns: ['gamma'],
 *     probability: p,
 *     neutral: { gamma: 1 },
 *     draw: (rng) => ({ gamma: 0.5 + rng() }),
 *     apply: (images, { gamma }) => tf.pow(images, tf.reshape(gamma, [-1, 1, 1, 1])),
 *   });
 * console.log(compose([randomGamma(0.5)]).columns); // ['randomGamma.applied', 'randomGamma.gamma']
 * ```
 */
export function defineTransform<Name extends string>(definition: TransformDefinition<Name>): Transform {
  const { name, probability, neutral, stages = null, outputSize = (size) => size } = definition;
  if (probability !== undefined) checkProbability(name, probability);
  const optional = probability !== undefined;
  const columns: readonly string[] = optional ? ['applied', ...definition.columns] : definition.columns;
  const skipped: Parameters | null = optional ? { applied: 0, ...neutral } : null;
  return {
    name,
    columns,
    skipped,
    stages,
    outputSize,
    sample(rng, size) {
      if (skipped === null) return definition.draw(rng, size);
      return rng() < (probability as number) ? { applied: 1, ...definition.draw(rng, size) } : skipped;
    },
    apply(images, parameters) {
      checkImages(name, images);
      return tf.tidy(() => {
        const table = parameterTable(name, columns, images.shape[0], parameters);
        const byName = Object.fromEntries(
          columns.map((column, i) => [column, tf.reshape(tf.slice(table, [0, i], [-1, 1]), [-1])]),
        ) as Record<Name | 'applied', tf.Tensor1D>;
        const transformed = definition.apply(images, byName);
        if (!optional) return transformed;
        return tf.where(tf.reshape(tf.greater(byName.applied, 0), [-1, 1, 1, 1]), transformed, images);
      });
    },
  };
}

/** Parameters as a tensor with one row per image, checked. */
export function parameterTable(
  fn: string,
  columns: readonly string[],
  rows: number,
  parameters: readonly Parameters[] | tf.Tensor2D,
): tf.Tensor2D {
  const shape: readonly number[] = 'dtype' in parameters ? parameters.shape : [parameters.length, columns.length];
  if (shape.length !== 2 || shape[0] !== rows || shape[1] !== columns.length) {
    throw argumentError({
      fn,
      argument: 'parameters',
      required: `have ${rows} rows, one per image, of ${columns.length} columns (${columns.join(', ')})`,
      got: shape,
      shown: `shape ${showValue(shape)}`,
      advice: 'Sample once for every image.',
    });
  }
  if ('dtype' in parameters) return parameters;
  return tf.tensor2d(flatten(fn, columns, parameters), [rows, columns.length]);
}

/** The numbers of records, row by row, checked. */
export function flatten(fn: string, columns: readonly string[], records: readonly Parameters[]): Float32Array {
  const values = new Float32Array(records.length * columns.length);
  records.forEach((record, row) => {
    columns.forEach((column, i) => {
      const value = record[column];
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw argumentError({
          fn,
          argument: `parameters[${row}]['${column}']`,
          required: 'be a finite number',
          got: value,
          advice: 'Pass what sample() returns.',
        });
      }
      values[row * columns.length + i] = value;
    });
  });
  return values;
}
