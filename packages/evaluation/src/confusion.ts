import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkLabels } from './check-arguments.ts';

/** What {@link confusion} takes. */
export interface ConfusionOptions {
  /** True class of each row, integers in [0, classes). */
  readonly labels: ArrayLike<number>;
  /** Predicted class of each row, integers in [0, classes). */
  readonly predictions: ArrayLike<number>;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /** The most confused pairs to list, an integer >= 0. Default: 10. */
  readonly pairs?: number;
}

/** A class that is taken for another. */
export interface ConfusedPair {
  /** The true class. */
  readonly label: number;
  /** The class it is taken for. */
  readonly prediction: number;
  /** Rows of `label` that are taken for `prediction`. */
  readonly count: number;
  /** The same as a fraction of the rows of `label`. */
  readonly fraction: number;
}

/** What {@link confusion} returns. */
export interface Confusion {
  /** Rows of each true class by predicted class, row-major [classes, classes]. */
  readonly counts: Int32Array;
  /** Fraction of each class's rows that are predicted right; null for a class without rows. */
  readonly classAccuracies: ReadonlyArray<number | null>;
  /** The pairs with the largest fractions first; of equals those with more rows, then the smaller classes. Pairs that never occur are left out. */
  readonly pairs: readonly ConfusedPair[];
}

/**
 * Which classes are told apart and which are taken for one another.
 *
 * @param options - see {@link ConfusionOptions}; for example predictions of `knnEvaluate` or `probeEvaluate`.
 * @returns the confusion matrix, the accuracy of each class and the most confused pairs.
 * @throws RangeError if the lists differ in length, are empty, or a number is outside its range.
 * @example
 * ```ts
 * import { confusion } from '@tfjs-ssl/evaluation';
 *
 * const { classAccuracies, pairs } = confusion({ labels: [0, 0, 1], predictions: [0, 1, 1], classes: 2 });
 * console.log(classAccuracies, pairs); // [0.5, 1], of class 0 one half is taken for class 1
 * ```
 */
export function confusion(options: ConfusionOptions): Confusion {
  const { labels, predictions, classes, pairs: listed = 10 } = options;
  const advice = 'With one class every answer is right.';
  checkNumber('confusion', 'classes', classes, { min: 2, integer: true }, advice);
  checkNumber('confusion', 'pairs', listed, { min: 0, integer: true }, 'Leave it out for 10.');
  if (labels.length === 0) {
    throw argumentError({
      fn: 'confusion',
      argument: 'labels',
      required: 'hold at least one label',
      got: 0,
      advice: 'Pass those of the images that were classified.',
    });
  }
  checkLabels('confusion', 'labels', labels, labels.length, classes);
  checkLabels('confusion', 'predictions', predictions, labels.length, classes);
  const counts = new Int32Array(classes * classes);
  for (let row = 0; row < labels.length; row++) {
    const place = (labels[row] as number) * classes + (predictions[row] as number);
    counts[place] = (counts[place] as number) + 1;
  }
  const totals = Array.from({ length: classes }, (_, label) =>
    counts.subarray(label * classes, (label + 1) * classes).reduce((sum, count) => sum + count, 0),
  );
  const pairs: ConfusedPair[] = [];
  counts.forEach((count, place) => {
    const [label, prediction] = [Math.floor(place / classes), place % classes];
    if (count > 0 && label !== prediction) {
      pairs.push({ label, prediction, count, fraction: count / (totals[label] as number) });
    }
  });
  pairs.sort((a, b) => b.fraction - a.fraction || b.count - a.count); // stable: then by the classes
  return {
    counts,
    classAccuracies: totals.map((total, label) =>
      total === 0 ? null : (counts[label * classes + label] as number) / total,
    ),
    pairs: pairs.slice(0, listed),
  };
}
