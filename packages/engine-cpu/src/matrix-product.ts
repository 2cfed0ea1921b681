/** Shape of a batch of matrix products: [batch, m, k] x [batch, k, n]; a batch of 1 goes with any. */
export interface MatrixProduct {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly batchA: number;
  readonly batchB: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** c = op(a) op(b) for every matrix of the batch. */
export function multiplyMatrices(shape: MatrixProduct, a: Float32Array, b: Float32Array): Float32Array {
  const { m, k, n, batchA, batchB, transposeA, transposeB } = shape;
  const batch = Math.max(batchA, batchB);
  const c = new Float32Array(batch * m * n);
  const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
  const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];
  const sums = new Float64Array(n);
  for (let matrix = 0; matrix < batch; matrix++) {
    const aStart = batchA === 1 ? 0 : matrix * m * k;
    const bStart = batchB === 1 ? 0 : matrix * k * n;
    for (let i = 0; i < m; i++) {
      sums.fill(0);
      for (let l = 0; l < k; l++) {
        const value = a[aStart + i * aRow + l * aColumn] as number;
        const row = bStart + l * bRow;
        for (let j = 0; j < n; j++) (sums[j] as number) += value * (b[row + j * bColumn] as number);
      }
      c.set(sums, (matrix * m + i) * n);
    }
  }
  return c;
}
