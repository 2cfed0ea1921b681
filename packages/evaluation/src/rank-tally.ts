/** Accuracies and predictions of a classification. */
export interface ClassificationResult {
  /** Fraction of the rows whose own class has the largest score. */
  readonly top1: number;
  /** Fraction of the rows whose own class has one of the five largest scores. */
  readonly top5: number;
  /** For each row, the class with the largest score; the smallest class if scores are equal. */
  readonly predictions: Int32Array;
}

/** Counts the rows whose own class is first, or among the first five, by the scores of all classes. */
export class RankTally {
  readonly #labels: ArrayLike<number>;
  readonly #predictions: Int32Array;
  #first = 0;
  #amongFive = 0;

  constructor(labels: ArrayLike<number>) {
    this.#labels = labels;
    this.#predictions = new Int32Array(labels.length);
  }

  /**
   * Adds a row.
   *
   * @param scores - one per class; of equal ones the smaller class comes first.
   * @param none - the score of a class that is not named at all, if there is one: such a class is never right.
   */
  add(row: number, scores: Float32Array | Float64Array, none: number = Number.NaN): void {
    const label = this.#labels[row] as number;
    const own = scores[label] as number;
    let [before, best] = [0, 0];
    scores.forEach((score, other) => {
      if (score > own || (score === own && other < label)) before++;
      if (score > (scores[best] as number)) best = other;
    });
    this.#predictions[row] = best;
    if (own === none) return;
    if (before === 0) this.#first++;
    if (before < 5) this.#amongFive++;
  }

  result(): ClassificationResult {
    const rows = this.#labels.length;
    return { top1: this.#first / rows, top5: this.#amongFive / rows, predictions: this.#predictions };
  }
}
