import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { epochOrder } from './epoch-order.ts';

/** Options of {@link balancedSample}. */
export interface BalancedSampleOptions {
  /** Share of each class to take, above 0 and at most 1. */
  readonly fraction: number;
  /** Seed of the choice. Default: 0. */
  readonly seed?: number | string;
}

/**
 * Chooses the same share of the images of every class, for experiments with few labels: `round(fraction * images)` of each class, but at least one.
 *
 * The choice depends on labels and seed alone. With one seed, a smaller sample is a part of a larger one.
 *
 * @param labels - class of each image, integers of at least 0.
 * @param options - see {@link BalancedSampleOptions}.
 * @returns positions of the chosen images in ascending order, int32.
 * @throws RangeError if there is no label, a label is not an integer of at least 0, or the fraction is out of range.
 * @example
 * ```ts
 * import { balancedSample, generatedImages } from '@tfjs-ssl/datasets';
 *
 * const { labels } = generatedImages({ classes: 4, imagesPerClass: 50, size: 16 });
 * console.log(balancedSample(labels, { fraction: 0.1, seed: 1 }).length); // 20: five of each class
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", appendix B.5: "in a class-balanced way".
 */
export function balancedSample(labels: ArrayLike<number>, { fraction, seed = 0 }: BalancedSampleOptions): Int32Array {
  const advice = 'For a tenth of the labels it is 0.1.';
  checkNumber('balancedSample', 'fraction', fraction, { above: 0, max: 1 }, advice);
  checkLabels(labels);
  const sizes = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    sizes.set(label, (sizes.get(label) ?? 0) + 1);
  }
  const left = new Map([...sizes].map(([label, size]) => [label, Math.max(1, Math.round(fraction * size))]));
  const chosen = epochOrder({ length: labels.length, seed, epoch: 0 }).filter((position) => {
    const label = labels[position] as number;
    const wanted = left.get(label) as number;
    left.set(label, wanted - 1);
    return wanted > 0;
  });
  return chosen.sort();
}

function checkLabels(labels: ArrayLike<number>): void {
  const fault = { fn: 'balancedSample', argument: 'labels' };
  if (labels.length === 0) {
    throw argumentError({
      ...fault,
      required: 'hold a label',
      got: labels.length,
      advice: 'Pass those of a data set.',
    });
  }
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (Number.isInteger(label) && (label as number) >= 0) continue;
    throw argumentError({
      ...fault,
      required: 'be integers of at least 0',
      got: label,
      shown: `${label} at position ${i}`,
      advice: 'Number the classes from 0.',
    });
  }
}
