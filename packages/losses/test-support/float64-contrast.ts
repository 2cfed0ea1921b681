/** Vectors of rows compared by their cosines: rows of `anchors` with rows of `others`, which may be the same. */
export interface Comparison {
  readonly anchors: readonly number[][];
  readonly others: readonly number[][];
  readonly temperature: number;
  /** Whether an anchor is compared with a row. */
  readonly compared: (anchor: number, other: number) => boolean;
  /** How much of an anchor's positive a row is. */
  readonly positive: (anchor: number, other: number) => number;
  /** How much the loss of an anchor counts. */
  readonly weight: (anchor: number) => number;
}

/** The gradient for rows, and for each how large the unit rows are that it is a sum of, together: what rounding is in proportion to. */
export interface RowGradients {
  readonly gradient: number[][];
  readonly scale: number[];
}

/** A loss in float64 with its gradients. */
export interface Contrast {
  readonly loss: number;
  readonly cosines: number[][];
  readonly ofAnchors: RowGradients;
  readonly ofOthers: RowGradients;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, d) => sum + value * b[d]!, 0);

/** Rows over their norms, which are 1e-12 at least; norms of float32 rows cannot leave float64. */
function unitRows(rows: readonly number[][]): { unit: number[][]; norms: number[] } {
  const norms = rows.map((row) => Math.max(Math.sqrt(dot(row, row)), 1e-12));
  return { norms, unit: rows.map((row, i) => row.map((value) => value / norms[i]!)) };
}

/** Gradients for rows from how much each of some unit rows counts in that of their unit rows. */
function rowGradients(
  { unit, norms }: ReturnType<typeof unitRows>,
  towards: readonly number[][],
  factor: (row: number, other: number) => readonly [value: number, size: number],
): RowGradients {
  const scale: number[] = [];
  const gradient = unit.map((own, i) => {
    const factors = towards.map((_, j) => factor(i, j));
    const ofUnit = own.map((_, d) => factors.reduce((sum, [value], j) => sum + value * towards[j]![d]!, 0));
    scale.push(factors.reduce((sum, [, size]) => sum + size, 0) / norms[i]!);
    const radial = norms[i]! > 1e-12 ? dot(own, ofUnit) : 0;
    return ofUnit.map((value, d) => (value - own[d]! * radial) / norms[i]!);
  });
  return { gradient, scale };
}

/**
 * Computes sum_i weight_i ( log sum_{j compared} exp(cos_ij / temperature) - sum_j positive_ij cos_ij / temperature ) in float64: the form that
 * contrastive losses have in common.
 */
export function contrast(comparison: Comparison): Contrast {
  const { temperature, compared, positive, weight } = comparison;
  const [anchors, others] = [unitRows(comparison.anchors), unitRows(comparison.others)];
  const cosines = anchors.unit.map((a) => others.unit.map((b) => dot(a, b)));
  let loss = 0;
  const probabilities = cosines.map((row, i) => {
    const largest = Math.max(...row.filter((_, j) => compared(i, j)));
    const exponentials = row.map((cosine, j) => (compared(i, j) ? Math.exp((cosine - largest) / temperature) : 0));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    const ofPositives = row.reduce((total, cosine, j) => total + positive(i, j) * (cosine - largest), 0);
    const rest = largest * (1 - row.reduce((total, _, j) => total + positive(i, j), 0));
    loss += weight(i) * (Math.log(sum) + (rest - ofPositives) / temperature);
    return exponentials.map((value) => value / sum);
  });
  const factor = (i: number, j: number): readonly [number, number] => {
    const [probability, share, scale] = [probabilities[i]![j]!, positive(i, j), weight(i) / temperature];
    return [scale * (probability - share), Math.abs(scale) * (probability + Math.abs(share))];
  };
  return {
    loss,
    cosines,
    ofAnchors: rowGradients(anchors, others.unit, factor),
    ofOthers: rowGradients(others, anchors.unit, (j, i) => factor(i, j)),
  };
}

/** Sums of what rows get as anchors and as those that anchors are compared with. */
export function both({ ofAnchors, ofOthers }: Contrast): RowGradients {
  return {
    gradient: ofAnchors.gradient.map((row, i) => row.map((value, d) => value + ofOthers.gradient[i]![d]!)),
    scale: ofAnchors.scale.map((value, i) => value + ofOthers.scale[i]!),
  };
}

/** Row of the other view of the same image. */
export const partnerOf = (row: number, rows: number): number => (row + rows / 2) % rows;

/** NT-Xent of rows i and i + N, two views of an image. */
export function ntXentInFloat64(z: readonly number[][], temperature: number): Contrast {
  const rows = z.length;
  return contrast({
    anchors: z,
    others: z,
    temperature,
    compared: (i, j) => i !== j,
    positive: (i, j) => Number(j === partnerOf(i, rows)),
    weight: () => 1 / rows,
  });
}
