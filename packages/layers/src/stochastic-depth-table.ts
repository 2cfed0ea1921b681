import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { seedNumber } from './seeded-values.ts';
import { StochasticDepth } from './stochastic-depth.ts';
import { isModel } from './weights/named-weights.ts';

/** What the numbers of a table depend on. */
export interface StochasticDepthKey {
  /** Seed of the run. Default 0. */
  readonly seed?: number | string;
  /** Number of the step within the run, from 0. */
  readonly step: number;
  /** Rows of the model's input, N. */
  readonly rows: number;
  /** Number, within the complete batch, of a row of this part of it. Default: the rows are the complete batch. */
  readonly numberOf?: (row: number) => number;
}

/**
 * The factors of a model's stochastic depth for one step.
 *
 * The factor of layer l and row n is 0 with the layer's probability p, else 1 / (1 - p). It depends on (seed, step, l, n) alone, so a resumed run repeats
 * an unbroken one, and a rank that knows the numbers of its rows computes what one process would.
 *
 * @param model - a model with layers of `stochasticDepth`, for example an EfficientNet.
 * @param key - seed, step and rows.
 * @returns a new tensor of shape [layers, rows], float32, which the caller disposes: `model.apply(x, { training: true, stochasticDepth: table })`.
 * @throws RangeError if the model has no stochastic depth, or a number is out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { efficientnetB0 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { stochasticDepthTable } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const encoder = efficientnetB0({ width: 0.25, stem: 'small' });
 * const table = stochasticDepthTable(encoder, { seed: 1, step: 0, rows: 2 });
 * console.log(table.shape); // [9, 2]
 * encoder.apply(tf.randomUniform([2, 32, 32, 3]), { training: true, stochasticDepth: table }).print();
 * ```
 */
export function stochasticDepthTable(
  model: LayersModel,
  { seed = 0, step, rows, numberOf = (row) => row }: StochasticDepthKey,
): tf.Tensor2D {
  const caller = 'stochasticDepthTable';
  const probabilities = probabilitiesOf(model, caller);
  checkNumber(caller, 'step', step, { min: 0, integer: true }, 'Count the steps of the run from 0.');
  checkNumber(caller, 'rows', rows, { min: 1, integer: true }, "Pass the rows of the model's input.");
  const numbers = Array.from({ length: rows }, (_, row) => numberOf(row));
  for (const number of numbers)
    checkNumber(caller, 'numberOf', number, { min: 0, integer: true }, 'It gives the number of a row, from 0.');
  const factors = new Float32Array(probabilities.length * rows);
  const ofStep = mix(mix(mix(0x9e3779b9, seedNumber(seed)), step), Math.floor(step / 2 ** 32));
  probabilities.forEach((probability, layer) => {
    const ofLayer = mix(ofStep, layer);
    numbers.forEach((number, row) => {
      const uniform = (mix(ofLayer, number) >>> 8) * 2 ** -24;
      factors[layer * rows + row] = uniform < probability ? 0 : 1 / (1 - probability);
    });
  });
  return tf.tensor2d(factors, [probabilities.length, rows]);
}

/**
 * The shape of {@link stochasticDepthTable}, which a compiled step has to know in advance.
 *
 * @param model - a model with layers of `stochasticDepth`.
 * @param rows - rows of the model's input, N.
 * @returns [layers, rows].
 * @throws RangeError if the model has no stochastic depth.
 *
 * @example
 * ```ts
 * import { efficientnetB0 } from '@tfjs-ssl/efficientnet';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { stochasticDepthShape } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * console.log(stochasticDepthShape(efficientnetB0({ width: 0.25 }), 64)); // [9, 64]
 * ```
 */
export function stochasticDepthShape(model: LayersModel, rows: number): [layers: number, rows: number] {
  return [probabilitiesOf(model, 'stochasticDepthShape').length, rows];
}

/** The probability of every layer, by its index. */
function probabilitiesOf(model: LayersModel, caller: string): number[] {
  const probabilities: number[] = [];
  const collect = (of: LayersModel): void => {
    for (const layer of of.layers) {
      if (isModel(layer)) collect(layer);
      else if (layer instanceof StochasticDepth) probabilities[layer.index] = layer.probability;
    }
  };
  collect(model);
  if (probabilities.length > 0) return Array.from(probabilities, (probability) => probability ?? 0);
  throw argumentError({
    fn: caller,
    argument: 'model',
    required: 'have layers of stochasticDepth',
    got: model.name,
    shown: `${model.name} without any`,
    advice: 'Apply it without a table.',
  });
}

/** One more 32-bit number into a hash: MurmurHash3's finaliser after a multiplication by the golden ratio. */
function mix(hash: number, value: number): number {
  let x = Math.imul(hash ^ Math.imul(value | 0, 0x9e3779b1), 0x85ebca6b) + 0x6d2b79f5;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
