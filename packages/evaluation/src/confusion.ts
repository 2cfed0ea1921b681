import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkLabels } from './check-arguments.ts';

/** Options of {@link confusion}. */
export interface ConfusionOptions {
  /** True class of each row, integers in [0, classes). */
  readonly labels: ArrayLike<number>;
  /** Predicted class of each row, integers in [0, classes). */
  readonly predictions: ArrayLike<number>;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /** Number of most confused pairs to list, an integer >= 0. Default: 10. */
  readonly pairs?: number;
}

/** A class that is mistaken for another. */
export interface ConfusedPair {
  /** The true class. */
  readonly label: number;
  /** The predicted class. */
  readonly prediction: number;
  /** Number of rows of class `label` that are predicted as `prediction`. */
  readonly count: number;
  /** The same number as a fraction of the rows of class `label`. */
  readonly fraction: number;
}

/** What {@link confusion} returns. */
export interface Confusion {
  /** Number of rows for each true class (row) and predicted class (column), row-major [classes, classes]. */
  readonly counts: Int32Array;
  /** Fraction of each class's rows that are predicted right; null for a class without rows. */
  readonly classAccuracies: ReadonlyArray<number | null>;
  /** The pairs with the largest fractions, largest first. Ties: more rows first, then smaller classes. Pairs that never occur are left out. */
  readonly pairs: readonly ConfusedPair[];
}

/**
 * Shows which classes are told apart and which are mistaken for one another.
 *
 * @param options - see {@link ConfusionOptions}; for example predictions of `knnEvaluate` or `probeEvaluate`.
 * @returns the confusion matrix, the accuracy of each class and the most confused pairs.
 * @throws RangeError if the lists differ in length, are empty, or a number is outside its range.
 * @example
 * ```ts
 * import { confusion } from '@tfjs-ssl/evaluation';
 *
 * const { classAccuracies, pairs } = confusion({ labels: [0, 0, 1], predictions: [0, 1, 1], classes: 2 });
 * console.log(classAccuracies, pairs); // [0.5, 1]; half of class 0 is predicted as class 1
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
