import type * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import { defineOpKernel, type Kernel, type KernelCall } from './kernel.ts';
import { readGradientScale, withPrepared } from './prepare-gradient.ts';

type Call = KernelCall<string, OpKernels['AdamUpdate']['attributes']>;

/**
 * The factor on gradients that makes up for TensorFlow's arithmetic.
 *
 * It takes 1 - beta2 in float32, which for beta2 = 0.999 is 1.3e-5 less than 0.001: more than all rounding of a hundred steps, and not what
 * PyTorch does. With gradients multiplied by the root of that ratio the second moment is right; the first one is larger by the factor
 * (6e-6), which the rate takes back.
 */
export function momentScale(beta2: number): number {
  const inFloat32 = Math.fround(1 - Math.fround(beta2));
  const scale = Math.sqrt((1 - beta2) / inFloat32);
  return Math.abs(scale - 1) < 1e-7 ? 1 : scale;
}

/**
 * One step of Adam with TensorFlow's own op, which updates parameter and moments in place.
 *
 * TensorFlow has p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon). With a rate of lr sqrt(c2) / c1 and an epsilon of epsilon sqrt(c2),
 * both worked out here in double precision, that is the update that `adamUpdate` promises; its powers of b1 and b2 are then 0.
 */
const adamUpdate = defineOpKernel('AdamUpdate', (call) => {
  const { inputs, options, store, attribute, runMany } = call;
  const { count, beta1, beta2, epsilon, weightDecay, decoupled } = options;
  const { factor, applies } = readGradientScale(call);
  if (!applies) return [];
  const [learningRate, c1, c2] = store.backend.readSync(inputs.scalars!.dataId) as unknown as [number, number, number];
  const scale = momentScale(beta2);
  const preparation = { factor: factor * scale, decay: decoupled ? 0 : weightDecay * scale };
  const flags = [
    ...attribute.float32('T'),
    attribute.flag('use_locking', false),
    attribute.flag('use_nesterov', false),
  ];
  const root = Math.sqrt(c2);
  const changing = [(learningRate * root) / c1 / scale, epsilon * root, learningRate * weightDecay];
  store.withNumbers([0, beta1, beta2], (zero, first, second) => {
    const update = (rate: number, small: number, shrinking: number) => {
      for (let i = 0; i < count; i++) {
        const [parameter, gradient, m, v] = ['parameter', 'gradient', 'firstMoment', 'secondMoment'].map(
          (role) => inputs[`${role}${i}`] as tf.TensorInfo,
        ) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
        if (weightDecay !== 0 && decoupled) shrink(call, parameter, shrinking);
        withPrepared(call, gradient, parameter, preparation, (prepared) => {
          const variables = [parameter, m, v].map((tensor) => store.resource(tensor));
          runMany('ResourceApplyAdam', flags, [...variables, zero!, zero!, rate, first!, second!, small, prepared], 0);
        });
      }
    };
    store.withNumbers(changing, update as (...ids: number[]) => void, true);
  });
  return [];
});

/** parameter -= factor * parameter. */
function shrink({ store, attribute, run, runMany }: Call, parameter: tf.TensorInfo, factor: number): void {
  const change = run('Mul', attribute.float32('T'), [store.id(parameter), factor]);
  runMany('AssignSubVariableOp', attribute.float32('dtype'), [store.resource(parameter), change.id], 0);
  store.release(change);
}

/** The kernel of Adam. */
export const adamKernels: readonly Kernel[] = [adamUpdate];
