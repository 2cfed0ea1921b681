import * as tf from '@tensorflow/tfjs-core';

/**
 * Sum of the squares of a product's off-diagonal elements, with a closed-form gradient: what decorrelates features.
 *
 *     sum_{i != j} (A^T B)_ij^2,    A and B of shape [N, D]
 *
 * With fewer rows than columns the D x D product is never formed: |A^T B|^2 = <A A^T, B B^T>, of N x N matrices, and the diagonal is taken away.
 * (Of N < D rows the off-diagonal squares are never few beside the diagonal's, so that the difference keeps its digits.) Holds min(N, D)^2 numbers.
 *
 * @param a - shape [N, D], float32.
 * @param b - shape [N, D], float32. Default: `a`, at the cost of one product less.
 * @returns a scalar; the caller disposes it.
 */
export function offDiagonalSquares(a: tf.Tensor2D, b?: tf.Tensor2D): tf.Scalar {
  const [rows, columns] = a.shape;
  const form = rows < columns ? byRows : byColumns;
  const run = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, y = x] = args as [tf.Tensor2D, tf.Tensor2D?];
    const { value, kept } = form.compute(x, y);
    save([x, y, ...kept]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [ofX, ofY, ...matrices] = saved as [tf.Tensor2D, tf.Tensor2D, ...tf.Tensor2D[]];
          // Where both are one tensor both have the same gradient.
          if (!b) return [tf.mul(form.gradient(ofX, ofY, matrices, 'a'), tf.mul(dy, 2))];
          return (['a', 'b'] as const).map((of) => tf.mul(form.gradient(ofX, ofY, matrices, of), dy));
        }),
    };
  });
  return (b ? run(a, b) : run(a)) as tf.Scalar;
}

interface Form {
  compute(a: tf.Tensor2D, b: tf.Tensor2D): { value: tf.Scalar; kept: tf.Tensor[] };
  gradient(a: tf.Tensor2D, b: tf.Tensor2D, kept: tf.Tensor2D[], of: 'a' | 'b'): tf.Tensor;
}

/** By the product itself, D x D. */
const byColumns: Form = {
  compute(a, b) {
    const column = tf.range(0, a.shape[1], 1, 'int32');
    const others = tf.cast(tf.notEqual(tf.expandDims(column, 1), column), 'float32');
    const off = tf.mul(tf.matMul(a, b, true), others) as tf.Tensor2D;
    return { value: tf.sum(tf.square(off)), kept: [off] };
  },
  gradient(a, b, [off], of) {
    return tf.mul(of === 'a' ? tf.matMul(b, off!, false, true) : tf.matMul(a, off!), 2);
  },
};

/** By the rows' products with each other, N x N. */
const byRows: Form = {
  compute(a, b) {
    const [ofA, ofB] = [tf.matMul(a, a, false, true), a === b ? null : tf.matMul(b, b, false, true)];
    const diagonal = tf.sum(tf.mul(a, b), 0);
    const value = tf.sub(tf.sum(tf.mul(ofA, ofB ?? ofA)), tf.sum(tf.square(diagonal))) as tf.Scalar;
    return { value, kept: [diagonal, ofA, ...(ofB ? [ofB] : [])] };
  },
  gradient(a, b, [diagonal, ofA, ofB = ofA], of) {
    const [products, own, other] = of === 'a' ? [ofB!, a, b] : [ofA!, b, a];
    return tf.mul(tf.sub(tf.matMul(products, own), tf.mul(other, diagonal!)), 2);
  },
};
