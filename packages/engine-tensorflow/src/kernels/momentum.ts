import type * as tf from '@tensorflow/tfjs-core';
import type { OpKernels } from '@tfjs-ssl/ops';
import type { Handle } from '../node-backend.ts';
import { defineOpKernel, type Kernel, type KernelCall } from './kernel.ts';
import { readGradientScale, withPrepared } from './prepare-gradient.ts';

type Call = KernelCall<string, OpKernels['MomentumUpdate']['attributes']>;

/** One parameter's tensors and numbers. */
interface Update {
  readonly parameter: tf.TensorInfo;
  readonly velocity: tf.TensorInfo | undefined;
  /** The gradient, scaled and with its decay. */
  readonly gradient: number;
  readonly trustCoefficient: number;
}

/** Handles of the numbers that all parameters share. */
interface Numbers {
  readonly learningRate: number;
  readonly momentum: number;
  readonly one: number;
}

/** Handles that an update makes on its way; all are freed at its end. */
class Intermediates {
  readonly #made: Handle[] = [];
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Runs an op on float32 operands. */
  run(name: string, ...operands: number[]): number {
    const handle = this.#call.run(name, this.#call.attribute.float32('T'), operands);
    this.#made.push(handle);
    return handle.id;
  }

  release(): void {
    this.#call.store.release(...this.#made);
  }
}

/** The handle of coefficient |p| / |direction|, or of 1 where either norm is zero. */
function trustRatio(call: Call, ops: Intermediates, update: Update, direction: number, one: number): number {
  const { store } = call;
  // L2Loss is half the sum of squares; the halves cancel.
  const [size, length] = [store.id(update.parameter), direction].map((id) => ops.run('L2Loss', id)) as [number, number];
  return store.withNumbers([update.trustCoefficient, 0], (coefficient, zero) => {
    const ratio = ops.run('Mul', ops.run('Sqrt', ops.run('RealDiv', size, length)), coefficient!);
    const isPositive = ops.run('Greater', ops.run('Minimum', size, length), zero!);
    return ops.run('SelectV2', isPositive, ratio, one);
  });
}

/** variable -= rate * change, in place. */
function descend({ store, attribute, runMany }: Call, variable: tf.TensorInfo, rate: number, change: number): void {
  const flags = [...attribute.float32('T'), attribute.flag('use_locking', false)];
  runMany('ResourceApplyGradientDescent', flags, [store.resource(variable), rate, change], 0);
}

/** v = momentum v + change; p -= rate (nesterov ? momentum v + change : v), in place. */
function move(call: Call, update: Update, rate: number, change: number, momentum: number): void {
  const { store, attribute, options, runMany } = call;
  const { parameter, velocity } = update;
  if (!velocity) {
    descend(call, parameter, rate, change);
    return;
  }
  const flags = [
    ...attribute.float32('T'),
    attribute.flag('use_locking', false),
    attribute.flag('use_nesterov', options.nesterov),
  ];
  const operands = [store.resource(parameter), store.resource(velocity), rate, change, momentum];
  runMany('ResourceApplyMomentum', flags, operands, 0);
}

/** `'popular'` with a trust ratio: it is taken of the direction that the velocity has led to. */
function moveThenTrust(call: Call, ops: Intermediates, update: Update, numbers: Numbers): void {
  const { store, options } = call;
  const { parameter, velocity, gradient } = update;
  let direction = gradient;
  if (velocity) {
    const ahead = (from: number) => ops.run('AddV2', ops.run('Mul', from, numbers.momentum), gradient);
    const moved = ahead(store.id(velocity));
    direction = options.nesterov ? ahead(moved) : moved;
    // velocity -= velocity - moved would round: the value is replaced.
    store.assign(velocity, moved);
  }
  const ratio = trustRatio(call, ops, update, direction, numbers.one);
  descend(call, parameter, ops.run('Mul', ratio, numbers.learningRate), direction);
}

function updateOne(call: Call, update: Update, numbers: Numbers): void {
  const ops = new Intermediates(call);
  const { flavour } = call.options;
  const { gradient, trustCoefficient } = update;
  const { learningRate, momentum, one } = numbers;
  if (flavour === 'popular' && trustCoefficient !== 0) moveThenTrust(call, ops, update, numbers);
  else {
    let change = gradient;
    if (trustCoefficient !== 0) change = ops.run('Mul', change, trustRatio(call, ops, update, gradient, one));
    if (flavour === 'simclr') move(call, update, one, ops.run('Mul', change, learningRate), momentum);
    else move(call, update, learningRate, change, momentum);
  }
  ops.release();
}

/** One step of SGD or LARS with TensorFlow's own ops, in place. */
const momentumUpdate = defineOpKernel('MomentumUpdate', (call) => {
  const { inputs, options, store } = call;
  const { factor, applies } = readGradientScale(call);
  if (!applies) return [];
  const [rate = 0] = store.backend.readSync(inputs.scalars!.dataId) as Float32Array;
  store.withNumbers([options.momentum, 1], (momentum, one) => {
    const updateAll = (learningRate: number) => {
      for (let i = 0; i < options.count; i++) {
        const parameter = inputs[`parameter${i}`] as tf.TensorInfo;
        const preparation = { factor, decay: options.weightDecays[i] ?? 0 };
        withPrepared(call, inputs[`gradient${i}`] as tf.TensorInfo, parameter, preparation, (gradient) => {
          const velocity = inputs[`velocity${i}`];
          const trustCoefficient = options.trustCoefficients[i] ?? 0;
          const numbers = { learningRate, momentum: momentum!, one: one! };
          updateOne(call, { parameter, velocity, gradient, trustCoefficient }, numbers);
        });
      }
    };
    store.withNumbers([rate], updateAll as (...ids: number[]) => void, true);
  });
  return [];
});

/** The kernel of SGD and LARS. */
export const momentumKernels: readonly Kernel[] = [momentumUpdate];
