// Gradients that TensorFlow.js writes as many passes over large tensors, in the few that this engine needs. They hold for its backend and
// the first derivative; elsewhere, and where a derivative is differentiated again, the gradient that was registered before is used.
import '@tensorflow/tfjs-layers'; // registers those of TensorFlow.js
import * as tf from '@tensorflow/tfjs-core';

type Gradient = tf.GradConfig['gradFunc'];

const run = <T>(kernel: string, inputs: Record<string, tf.Tensor>, attributes: Record<string, unknown> = {}): T =>
  tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as T;

/** `dy` of a reduction over `axis`, spread over the axes that it has lost. */
function spread(dy: tf.Tensor, shape: readonly number[], axis: number | number[] | undefined): tf.Tensor {
  const axes = tf.util.parseAxisParam(axis ?? shape.map((_, i) => i), shape as number[]);
  const kept = shape.map((length, i) => (axes.includes(i) ? 1 : length));
  const repetitions = shape.map((length, i) => (axes.includes(i) ? length : 1));
  return tf.tile(tf.reshape(dy, kept), repetitions);
}

const sum: Gradient = (dy, saved, attributes) => {
  const [x] = saved as [tf.Tensor];
  return { x: () => spread(dy as tf.Tensor, x.shape, attributes.axis as number | number[] | undefined) };
};

const mean: Gradient = (dy, saved, attributes) => {
  const [x] = saved as [tf.Tensor];
  const share = tf.div(dy as tf.Tensor, x.size / (dy as tf.Tensor).size);
  return { x: () => spread(share, x.shape, attributes.axis as number | number[] | undefined) };
};

const square: Gradient = (dy, saved) => ({
  x: () => run('SquareGrad', { a: dy as tf.Tensor, b: saved[0] as tf.Tensor }),
});

const relu: Gradient = (dy, saved) => ({
  x: () => run('ReluGrad', { a: dy as tf.Tensor, b: saved[0] as tf.Tensor }),
});

const batchNorm: Gradient = (dy, saved, attributes) => {
  const [x, mean, variance, scale] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor?];
  const [dx, dmean, dvariance, dscale, doffset] = run<tf.Tensor[]>(
    'FusedBatchNormGrad',
    { dy: dy as tf.Tensor, x, mean, variance, ...(scale && { scale }) },
    { epsilon: attributes.varianceEpsilon },
  ) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return {
    x: () => dx,
    mean: () => dmean,
    variance: () => dvariance,
    scale: () => dscale,
    offset: () => doffset,
  };
};

/** A gradient and which saved tensors it takes; others are left to the gradient before. */
interface Replacement {
  readonly gradient: Gradient;
  takes(saved: readonly (tf.Tensor | undefined)[]): boolean;
}

const float = (x: tf.Tensor | undefined) => x?.dtype === 'float32' && x.size > 0;
const takesFloat: Replacement['takes'] = ([x]) => float(x);
const replacements: Readonly<Record<string, Replacement>> = {
  Sum: { gradient: sum, takes: takesFloat },
  Mean: { gradient: mean, takes: takesFloat },
  Square: { gradient: square, takes: takesFloat },
  Relu: { gradient: relu, takes: takesFloat },
  FusedBatchNorm: {
    gradient: batchNorm,
    takes: (saved) =>
      saved.every((tensor) => tensor === undefined || tensor === null || float(tensor)) &&
      saved.slice(1).every((tensor) => !tensor || (tensor.rank === 1 && tensor.size === saved[0]?.shape.at(-1))),
  },
};

/** Registers these gradients for the backend of the given name. */
export function registerGradients(backend: string): void {
  for (const [kernelName, { gradient, takes }] of Object.entries(replacements)) {
    const before = tf.getGradient(kernelName);
    if (!before) throw new Error(`engine-simd: TensorFlow.js has no gradient of ${kernelName}.`);
    tf.unregisterGradient(kernelName);
    tf.registerGradient({
      ...before,
      gradFunc: (dy, saved, attributes) => {
        const first = tf.engine().state.gradientDepth === 0 && tf.getBackend() === backend;
        return (first && takes(saved) ? gradient : before.gradFunc)(dy, saved, attributes);
      },
    });
  }
}
