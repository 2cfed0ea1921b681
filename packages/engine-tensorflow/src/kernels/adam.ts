import type * as tf from '@tensorflow/tfjs-core';
import type { AdamUpdateOptions } from '@tfjs-ssl/ops';
import type { Handle } from '../node-backend.ts';
import { defineKernel, type Kernel, type KernelCall } from './kernel.ts';

interface AdamOptions extends AdamUpdateOptions {
  readonly count: number;
}

type Call = KernelCall<string, AdamOptions>;

/**
 * The factor on gradients that makes up for TensorFlow's arithmetic.
 *
 * It takes 1 - beta2 in float32, which for beta2 = 0.999 is 1.3e-5 less than 0.001: more than all rounding of a hundred steps, and not what
 * PyTorch does. With gradients multiplied by the root of that ratio the second moment is right; the first one is larger by the factor
 * (6e-6), which the rate takes back.
 */
export function gradientScale(beta2: number): number {
  const inFloat32 = Math.fround(1 - Math.fround(beta2));
  const scale = Math.sqrt((1 - beta2) / inFloat32);
  return Math.abs(scale - 1) < 1e-7 ? 1 : scale;
}

/** What a parameter's gradient is turned into: (gradient + decay * parameter) * scale, with as few ops as that takes. */
function prepare(
  call: Call,
  gradient: number,
  parameter: tf.TensorInfo,
  ids: Numbers,
  use: (id: number) => void,
): void {
  const { store, attribute, run, options } = call;
  const made: Handle[] = [];
  const make = (name: string, a: number, b: number) => {
    const handle = run(name, attribute.float32('T'), [a, b]);
    made.push(handle);
    return handle.id;
  };
  let prepared = gradient;
  if (options.weightDecay !== 0 && !options.decoupled) {
    prepared = make('AddV2', prepared, make('Mul', store.id(parameter), ids.decay));
  }
  if (ids.scale !== null) prepared = make('Mul', prepared, ids.scale);
  use(prepared);
  store.release(...made);
}

/** Handles of the numbers of an update. */
interface Numbers {
  readonly decay: number;
  readonly scale: number | null;
}

/**
 * One step of Adam with TensorFlow's own op, which updates parameter and moments in place.
 *
 * TensorFlow has p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon). With a rate of lr sqrt(c2) / c1 and an epsilon of epsilon sqrt(c2),
 * both worked out here in double precision, that is the update that `adamUpdate` promises; its powers of b1 and b2 are then 0.
 */
const adamUpdate = defineKernel<string, AdamOptions>('AdamUpdate', (call) => {
  const { inputs, options, store, attribute, runMany } = call;
  const { count, beta1, beta2, epsilon, weightDecay, decoupled } = options;
  const [learningRate, c1, c2] = store.backend.readSync(inputs.scalars!.dataId) as unknown as [number, number, number];
  const scale = gradientScale(beta2);
  const root = Math.sqrt(c2);
  const flags = [
    ...attribute.float32('T'),
    attribute.flag('use_locking', false),
    attribute.flag('use_nesterov', false),
  ];
  const constants = [0, beta1, beta2, weightDecay, scale];
  const changing = [(learningRate * root) / c1 / scale, epsilon * root, learningRate * weightDecay];
  store.withNumbers(constants, (zero, first, second, decay, factor) => {
    const update = (rate: number, small: number, shrinking: number) => {
      for (let i = 0; i < count; i++) {
        const [parameter, gradient, m, v] = ['parameter', 'gradient', 'firstMoment', 'secondMoment'].map(
          (role) => inputs[`${role}${i}`] as tf.TensorInfo,
        ) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
        if (weightDecay !== 0 && decoupled) shrink(call, parameter, shrinking);
        const ids = { decay: decay!, scale: scale === 1 ? null : factor! };
        prepare(call, store.id(gradient), parameter, ids, (prepared) => {
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

/** The optimizer's kernel. */
export const adamKernels: readonly Kernel[] = [adamUpdate];
