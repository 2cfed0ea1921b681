/**
 * Eigenvalues of a symmetric matrix, in no order: Householder's reduction to a tridiagonal matrix, then implicit QL steps.
 *
 * @param matrix - row-major [size, size]; it is overwritten.
 * @see Golub & Van Loan, "Matrix Computations", algorithms 8.3.1 and 8.3.2.
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalise(matrix, size);
  // Rounding has changed every eigenvalue by as much. Measured by its neighbours instead, an element between eigenvalues near 0 may never be small enough.
  let largest = 0;
  for (let i = 0; i < size; i++) {
    largest = Math.max(largest, Math.abs(diagonal[i] as number) + Math.abs(offDiagonal[i] as number));
  }
  const negligible = Number.EPSILON * largest;
  for (let first = 0; first < size; first++) {
    for (let step = 0; ; step++) {
      let end = first;
      while (end < size - 1 && Math.abs(offDiagonal[end] as number) > negligible) end++;
      if (end === first) break;
      if (step === 60)
        throw new Error(
          'symmetricEigenvalues: the iteration must converge in 60 steps, got no convergence. Check that all values are finite.',
        );
      implicitStep(diagonal, offDiagonal, first, end);
    }
  }
  return diagonal;
}

/** Householder reflections, column by column: A becomes (I - beta v v^T) A (I - beta v v^T). */
function tridiagonalise(a: Float64Array, size: number): { diagonal: Float64Array; offDiagonal: Float64Array } {
  const offDiagonal = new Float64Array(size);
  const v = new Float64Array(size);
  const w = new Float64Array(size);
  for (let k = 0; k < size - 1; k++) {
    let norm = 0;
    for (let i = k + 1; i < size; i++) norm = Math.hypot(norm, a[k * size + i] as number);
    const head = a[k * size + k + 1] as number;
    const alpha = head > 0 ? -norm : norm;
    offDiagonal[k] = alpha;
    if (norm === 0) continue;
    for (let i = k + 1; i < size; i++) v[i] = (a[k * size + i] as number) / norm;
    v[k + 1] = (head - alpha) / norm;
    const beta = 1 / (1 + Math.abs(head) / norm); // 2 / |v|^2
    let overlap = 0;
    for (let i = k + 1; i < size; i++) {
      let sum = 0;
      for (let j = k + 1; j < size; j++) sum += (a[i * size + j] as number) * (v[j] as number);
      w[i] = beta * sum;
      overlap += (w[i] as number) * (v[i] as number);
    }
    for (let i = k + 1; i < size; i++) w[i] = (w[i] as number) - 0.5 * beta * overlap * (v[i] as number);
    for (let i = k + 1; i < size; i++) {
      const [vi, wi] = [v[i] as number, w[i] as number];
      for (let j = k + 1; j < size; j++) {
        a[i * size + j] = (a[i * size + j] as number) - (vi * (w[j] as number) + wi * (v[j] as number));
      }
    }
  }
  return { diagonal: Float64Array.from({ length: size }, (_, i) => a[i * size + i] as number), offDiagonal };
}

/** One QL step with Wilkinson's shift on the rows from `first` to `end`, whose off-diagonal is nowhere negligible. */
function implicitStep(diagonal: Float64Array, offDiagonal: Float64Array, first: number, end: number): void {
  const e = offDiagonal[first] as number;
  const half = ((diagonal[first + 1] as number) - (diagonal[first] as number)) / (2 * e);
  const root = Math.hypot(half, 1);
  let g = (diagonal[end] as number) - (diagonal[first] as number) + e / (half + (half >= 0 ? Math.abs(root) : -root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = end - 1; i >= first; i--) {
    const f = sine * (offDiagonal[i] as number);
    const b = cosine * (offDiagonal[i] as number);
    const r = Math.hypot(f, g);
    offDiagonal[i + 1] = r;
    if (r === 0) {
      // the matrix falls into two here
      diagonal[i + 1] = (diagonal[i + 1] as number) - shift;
      offDiagonal[end] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const next = (diagonal[i + 1] as number) - shift;
    const turned = ((diagonal[i] as number) - next) * sine + 2 * cosine * b;
    shift = sine * turned;
    diagonal[i + 1] = next + shift;
    g = cosine * turned - b;
  }
  diagonal[first] = (diagonal[first] as number) - shift;
  offDiagonal[first] = g;
  offDiagonal[end] = 0;
}
