import { argumentError, showKind, showTensor } from '@tfjs-ssl/checks';
import '@tfjs-ssl/ops'; // registers the gradients of TensorFlow.js, which its core alone does not have in Node
import * as tf from '@tensorflow/tfjs-core';
import type { CapturedStep, Precision, StepFunction } from '@tfjs-ssl/ops';
import { releaseTape } from './release-tape.ts';
import { currentEngine, moduleInUse } from './start-engine.ts';

/** Tensors by name: what a step takes and what it returns. */
export type NamedTensors = Record<string, tf.Tensor>;

/** Shape and dtype of one input of a compiled step. */
export interface InputSpec {
  /** Exact shape: a step is compiled for one shape. */
  readonly shape: readonly number[];
  /** Default: `'float32'`. */
  readonly dtype?: 'float32' | 'int32' | 'bool';
}

/** Shapes and dtypes of all inputs of a step, by name. */
export type InputSpecs = Readonly<Record<string, InputSpec>>;

interface TensorOfRank {
  readonly 0: tf.Scalar;
  readonly 1: tf.Tensor1D;
  readonly 2: tf.Tensor2D;
  readonly 3: tf.Tensor3D;
  readonly 4: tf.Tensor4D;
  readonly 5: tf.Tensor5D;
}

/** The tensors of these inputs. Each has the rank of its shape, if TypeScript knows the shape's length. */
export type InputTensors<Inputs extends InputSpecs> = {
  readonly [Name in keyof Inputs]: Inputs[Name]['shape']['length'] extends keyof TensorOfRank
    ? TensorOfRank[Inputs[Name]['shape']['length']]
    : tf.Tensor;
};

/** Options of {@link compile}. */
export interface CompileOptions<Inputs extends InputSpecs> {
  /** Every input of the step by name. */
  readonly inputs: Inputs;
  /** Precision of the step's matrix products; the engine must support it. Default: `'float32'`. */
  readonly precision?: Precision;
}

/** A step ready to run. It takes exactly the inputs it was compiled for and returns tensors that the caller disposes. */
export interface CompiledStep<Name extends string, Outputs extends NamedTensors> {
  (inputs: Readonly<Record<Name, tf.Tensor>>): Outputs;
  /**
   * Checks that a recorded step is still valid: that it reads no JavaScript number which has changed since it was recorded. The engine
   * records the step again to compare, which costs as much as a few steps; once an epoch is enough. Does nothing if the step is not recorded.
   *
   * @throws Error that names the first difference.
   */
  check(): void;
  /** Frees what a recording of the step holds; a later call records again. Outputs and variables stay. */
  dispose(): void;
}

function checkInputs(specs: Readonly<Record<string, InputSpec>>, inputs: Readonly<Record<string, tf.Tensor>>): void {
  for (const [name, spec] of Object.entries(specs)) {
    const tensor = inputs[name];
    const dtype = spec.dtype ?? 'float32';
    if (!tensor) {
      throw argumentError({
        kind: 'type',
        fn: 'compile',
        argument: 'inputs',
        required: `hold '${name}', an input of the step`,
        got: Object.keys(inputs),
        shown: list(Object.keys(inputs)),
        advice: 'Pass every input that the step was compiled for.',
      });
    }
    if (tensor.dtype !== dtype || !tf.util.arraysEqual(tensor.shape, [...spec.shape])) {
      throw argumentError({
        fn: 'compile',
        argument: `inputs.${name}`,
        required: `be ${showTensor({ dtype, shape: spec.shape })}`,
        got: tensor.shape,
        shown: showTensor(tensor),
        advice: 'A step is compiled for one shape: compile another step for other shapes.',
      });
    }
  }
  const unknown = Object.keys(inputs).filter((name) => !(name in specs));
  if (unknown.length > 0) {
    throw argumentError({
      kind: 'type',
      fn: 'compile',
      argument: 'inputs',
      required: `hold only the inputs of the step, ${list(Object.keys(specs))}`,
      got: unknown,
      shown: list(unknown),
      advice: 'Name the input when you compile the step, or leave it out.',
    });
  }
}

const list = (names: string[]): string => (names.length ? names.map((name) => `'${name}'`).join(', ') : 'none');

/** The step, refusing what is not named tensors. */
function checkingOutputs(step: StepFunction): StepFunction {
  return (inputs) => {
    const outputs = step(inputs);
    for (const [name, value] of Object.entries(outputs)) {
      if (!(value instanceof tf.Tensor)) {
        throw argumentError({
          kind: 'type',
          fn: 'compile',
          argument: `output '${name}' of the step`,
          required: 'be a tensor',
          got: value,
          shown: showKind(value),
          advice: 'Return only tensors, and read them after the step.',
        });
      }
    }
    if (outputs instanceof Promise) {
      throw argumentError({
        kind: 'type',
        fn: 'compile',
        argument: 'step',
        required: 'be synchronous',
        got: outputs,
        shown: 'a promise',
        advice: 'Read values after the step, not in it.',
      });
    }
    return outputs;
  };
}

function checkPrecision(precision: Precision): void {
  if (precision === 'float32') return;
  const { name, device, precisions } = currentEngine();
  if (precisions.includes(precision)) return;
  throw argumentError({
    fn: 'compile',
    argument: 'precision',
    required: `be ${precisions.map((p) => `'${p}'`).join(' or ')} on engine '${name}' (${device})`,
    got: precision,
    advice: 'Choose another engine or device, or leave precision out.',
  });
}

/**
 * Compiles a whole step into one function, the same for every engine.
 *
 * A step is synchronous, reads no values back, and depends only on its input tensors and on `tf.Variable`s. Pass whatever changes
 * from call to call (indices, augmentation parameters, learning rate) as a tensor. Keep whatever lasts in variables that
 * are made before the step or at its first run. An engine that can record steps (`'webgpu'`) runs the function at the first call,
 * records it at the second, and replays it from then on. Other engines run the function at every call, inside one `tf.tidy`. A step that
 * a recording would get wrong is refused with the reason: one that reads values, draws random numbers, keeps tensors beyond the step, or
 * makes variables after the first run.
 *
 * @param step - a function of named tensors that returns named tensors.
 * @param options - the inputs by name, each with its exact shape and dtype; precision.
 * @returns a function of the inputs. It disposes all intermediate tensors, even if the step throws. Its outputs belong to the caller.
 * Dispose the outputs before the next call; a replayed step must copy those that are still alive.
 * @throws Error if the engine in use does not support the precision. On a call: TypeError or RangeError if inputs are missing,
 * unknown, or of another shape or dtype, and if the step returns something that is not a tensor (such as a promise); Error if the
 * step cannot be recorded, with what to change.
 * @example
 * ```ts
 * import { compile, startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const scale = tf.variable(tf.scalar(2));
 * const step = compile(({ x }) => ({ y: tf.mul(x, scale) }), { inputs: { x: { shape: [3] } } });
 * const { y } = step({ x: tf.tensor1d([1, 2, 3]) });
 * console.log(await y.array()); // [ 2, 4, 6 ]
 * step.dispose();
 * ```
 */
export function compile<const Inputs extends InputSpecs, Outputs extends NamedTensors>(
  step: (inputs: InputTensors<Inputs>) => Outputs,
  options: CompileOptions<Inputs>,
): CompiledStep<keyof Inputs & string, Outputs> {
  type Name = keyof Inputs & string;
  const { inputs: specs, precision = 'float32' } = options;
  checkPrecision(precision);
  const checked = checkingOutputs(step as unknown as StepFunction);
  const inputSpecs = Object.fromEntries(
    Object.entries<InputSpec>(specs).map(([name, { shape, dtype = 'float32' }]) => [name, { shape, dtype }]),
  );
  let captured: CapturedStep | null = null;
  /** The backend on which the step has run: another one starts anew. */
  let backend: tf.KernelBackend | null = null;

  const inPrecision: StepFunction = (inputs) => {
    if (precision === 'float32') return checked(inputs);
    const withPrecision = moduleInUse()?.withPrecision;
    if (!withPrecision) checkPrecision(precision);
    return withPrecision ? withPrecision(precision, () => checked(inputs)) : checked(inputs);
  };
  const dispose = () => {
    captured?.dispose();
    captured = null;
    backend = null;
  };

  const runChecked = (inputs: Readonly<Record<Name, tf.Tensor>>): Outputs => {
    if (backend !== tf.backend()) dispose();
    const module = moduleInUse();
    if (backend && module?.capture) {
      captured ??= module.capture(inPrecision, inputSpecs);
      return captured.replay(inputs) as Outputs;
    }
    const outputs = tf.tidy(() => inPrecision(inputs)) as Outputs;
    backend = tf.backend();
    return outputs;
  };
  const run = (inputs: Readonly<Record<Name, tf.Tensor>>): Outputs => {
    checkInputs(specs, inputs);
    try {
      return runChecked(inputs);
    } catch (error) {
      releaseTape();
      throw error;
    }
  };
  return Object.assign(run, {
    check: () => {
      if (backend === tf.backend()) captured?.check();
    },
    dispose,
  });
}
