import '@tfjs-ssl/ops'; // registers the gradients of TensorFlow.js, which its core alone does not have in Node
import * as tf from '@tensorflow/tfjs-core';

/** Tensors by name: what a step takes and what it returns. */
export type NamedTensors = Record<string, tf.Tensor>;

/** What a compiled step demands of one of its inputs. */
export interface InputSpec {
  /** Exact shape; a step is compiled for one shape, as a recording of it would be. */
  readonly shape: readonly number[];
  /** Default: `'float32'`. */
  readonly dtype?: 'float32' | 'int32' | 'bool';
}

/** Options of {@link compile}. */
export interface CompileOptions<Name extends string> {
  /** Every input of the step by name. */
  readonly inputs: Readonly<Record<Name, InputSpec>>;
}

/** A step ready to run: takes exactly the inputs it was compiled for, returns tensors that the caller disposes. */
export type CompiledStep<Name extends string, Outputs extends NamedTensors> = (
  inputs: Readonly<Record<Name, tf.Tensor>>,
) => Outputs;

function checkInputs(specs: Readonly<Record<string, InputSpec>>, inputs: Readonly<Record<string, tf.Tensor>>): void {
  for (const [name, spec] of Object.entries(specs)) {
    const tensor = inputs[name];
    const dtype = spec.dtype ?? 'float32';
    if (!tensor) {
      throw new TypeError(`compile: the step needs the input '${name}', got ${list(Object.keys(inputs))}. Pass it.`);
    }
    if (tensor.dtype !== dtype || !tf.util.arraysEqual(tensor.shape, [...spec.shape])) {
      throw new RangeError(
        `compile: input '${name}' must be ${dtype} of shape [${spec.shape}], got ${tensor.dtype} of shape ` +
          `[${tensor.shape}]. A step is compiled for one shape: compile another one for other shapes.`,
      );
    }
  }
  const unknown = Object.keys(inputs).filter((name) => !(name in specs));
  if (unknown.length > 0) {
    throw new TypeError(
      `compile: the step has no input ${list(unknown)}, only ${list(Object.keys(specs))}. Name it in \`inputs\` or leave it out.`,
    );
  }
}

const list = (names: string[]): string => (names.length ? names.map((name) => `'${name}'`).join(', ') : 'none');

/**
 * Makes one callable of a whole step, the same for every engine.
 *
 * A step is synchronous, reads nothing back, and depends on its input tensors and on `tf.Variable`s alone: whatever changes
 * from call to call (indices, augmentation parameters, learning rate) comes in as a tensor. Engines that can record a step
 * replay it; the engines there are today run it as it stands, inside one `tf.tidy`.
 *
 * @param step - the step; a function of named tensors that returns named tensors.
 * @param options - the inputs by name, each with its exact shape and dtype.
 * @returns a function of the inputs. It disposes all intermediate tensors; its outputs belong to the caller.
 * @throws TypeError or RangeError, on a call whose inputs are missing, unknown, or of another shape or dtype, and where the
 * step returns something that is not a tensor (a promise, say).
 * @example
 * ```ts
 * import { compile, useEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await useEngine('auto');
 * const scale = tf.variable(tf.scalar(2));
 * const step = compile(({ x }) => ({ y: tf.mul(x, scale) }), { inputs: { x: { shape: [3] } } });
 * const { y } = step({ x: tf.tensor1d([1, 2, 3]) });
 * console.log(await y.array()); // [ 2, 4, 6 ]
 * ```
 */
export function compile<Name extends string, Outputs extends NamedTensors>(
  step: (inputs: Readonly<Record<Name, tf.Tensor>>) => Outputs,
  options: CompileOptions<Name>,
): CompiledStep<Name, Outputs> {
  const { inputs: specs } = options;
  return (inputs) => {
    checkInputs(specs, inputs);
    return tf.tidy(() => {
      const outputs = step(inputs);
      for (const [name, value] of Object.entries(outputs)) {
        if (!(value instanceof tf.Tensor)) {
          throw new TypeError(
            `compile: the step's output '${name}' must be a tensor, got ${typeof value}. Return tensors only and read them after the step.`,
          );
        }
      }
      if (outputs instanceof Promise) {
        throw new TypeError(
          'compile: the step must be synchronous, got a promise. Read values after the step, not in it.',
        );
      }
      return outputs;
    });
  };
}
