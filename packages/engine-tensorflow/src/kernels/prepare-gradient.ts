import type * as tf from '@tensorflow/tfjs-core';
import type { Handle } from '../node-backend.ts';
import type { KernelCall } from './kernel.ts';

/** What happens to a gradient before its update: (gradient * factor + parameter * decay). */
export interface Preparation {
  readonly factor: number;
  readonly decay: number;
}

/**
 * Runs a function with the handle of a prepared gradient, made with as few ops as that takes.
 *
 * @param call - the kernel's call.
 * @param gradient - the gradient as it came.
 * @param parameter - its parameter.
 * @param preparation - factor and decay; 1 and 0 cost nothing.
 * @param use - what to do with it.
 */
export function withPrepared(
  { store, attribute, run }: KernelCall<string, unknown>,
  gradient: tf.TensorInfo,
  parameter: tf.TensorInfo,
  { factor, decay }: Preparation,
  use: (gradient: number) => void,
): void {
  const made: Handle[] = [];
  const make = (name: string, a: number, b: number): number => {
    const handle = run(name, attribute.float32('T'), [a, b]);
    made.push(handle);
    return handle.id;
  };
  store.withNumbers([factor, decay], (factorId, decayId) => {
    let prepared = store.id(gradient);
    if (factor !== 1) prepared = make('Mul', prepared, factorId!);
    if (decay !== 0) prepared = make('AddV2', prepared, make('Mul', store.id(parameter), decayId!));
    use(prepared);
  });
  store.release(...made);
}

/** What an update is told of the scale of its gradients: a factor, and whether it takes place. */
export function readGradientScale({ inputs, store }: KernelCall<string, unknown>): {
  factor: number;
  applies: boolean;
} {
  const scale = inputs.gradientScale;
  if (!scale) return { factor: 1, applies: true };
  const [factor = 1, applies = 1] = store.backend.readSync(scale.dataId) as Float32Array;
  return { factor, applies: applies > 0 };
}
