import * as tf from '@tensorflow/tfjs-core';
import { type CompiledStep, compile, type InputSpecs, type Precision } from '@tfjs-ssl/engine';
import type { NamedTensors, NamedVariables } from '../types.ts';
import type { RankTeam, StepValues } from './rank-team.ts';

/** What a step is made of. */
export interface HalvedStep {
  readonly parameters: NamedVariables;
  readonly inputs: InputSpecs;
  /** Numbers of the updates. */
  readonly scalars: number;
  readonly precision: Precision;
  readonly ranks: RankTeam;
  /** Forward and backward pass of this rank's part of the batch. */
  pass(inputs: NamedTensors): StepValues;
  /** The updates; returns the values of the step. */
  finish(joined: StepValues, scalars: tf.Tensor1D): tf.Tensor1D;
}

/** A step whose result comes later. The next one starts when it is there. */
export interface StepInHalves {
  run(inputs: Readonly<Record<string, tf.Tensor>>, scalars: readonly number[]): Promise<tf.Tensor>;
  check(): void;
  dispose(): void;
}

type SecondInput = 'gradients' | 'values' | 'scalars';

/**
 * The step of a rank on an engine that records steps, and so can read nothing within one: two compiled halves. Between them the host reads
 * gradients, loss, metrics and running statistics, joins them with those of the other ranks, and uploads the result; each way in two arrays.
 */
export function stepInHalves({
  parameters,
  inputs,
  scalars,
  precision,
  ranks,
  pass,
  finish,
}: HalvedStep): StepInHalves {
  const names = Object.keys(parameters);
  const weights = Object.values(parameters);

  const first = compile(
    (given: NamedTensors) => {
      const { gradients, values } = ranks.run(() => pass(given));
      return {
        gradients: flatten(names.map((name) => gradients[name] as tf.Tensor)),
        values: flatten([values, ...ranks.ownStatistics]),
      };
    },
    { inputs, precision },
  );

  const updates = (gradientCount: number, valueCount: number): CompiledStep<SecondInput, { values: tf.Tensor1D }> =>
    compile(
      ({ gradients, values, scalars }) => {
        const statistics = [...ranks.ownStatistics];
        const others = valueCount - statistics.reduce((sum, { size }) => sum + size, 0);
        const [own, ...means] = tf.split(values, [others, ...statistics.map(({ size }) => size)]) as [
          tf.Tensor1D,
          ...tf.Tensor1D[],
        ];
        for (const [i, variable] of statistics.entries()) variable.assign(like(variable, means[i] as tf.Tensor1D));
        const parts = tf.split(
          gradients,
          weights.map(({ size }) => size),
        );
        const named = weights.map((weight, i) => [names[i], like(weight, parts[i] as tf.Tensor1D)] as const);
        return { values: finish({ gradients: Object.fromEntries(named), values: own }, scalars) };
      },
      {
        inputs: {
          gradients: { shape: [gradientCount] },
          values: { shape: [valueCount] },
          scalars: { shape: [scalars] },
        },
        precision,
      },
    );
  let second: ReturnType<typeof updates> | null = null;

  return {
    async run(given, numbers) {
      const own = first(given);
      const [gradients, values] = await readAll(own.gradients, own.values);
      ranks.joinArrays(gradients, values);
      second ??= updates(gradients.length, values.length);
      const uploaded = {
        gradients: tf.tensor1d(gradients),
        values: tf.tensor1d(values),
        scalars: tf.tensor1d([...numbers], 'float32'),
      };
      try {
        return second(uploaded).values;
      } finally {
        tf.dispose(uploaded);
      }
    },
    check() {
      first.check();
      second?.check();
    },
    dispose() {
      first.dispose();
      second?.dispose();
    },
  };
}

/** All elements, tensor after tensor, shape [count]. */
const flatten = (tensors: readonly tf.Tensor[]): tf.Tensor1D =>
  tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1]))) as tf.Tensor1D;

const like = (variable: tf.Variable, flat: tf.Tensor1D): tf.Tensor => tf.reshape(flat, variable.shape);

/** Reads two tensors at once, and disposes them. */
async function readAll(a: tf.Tensor, b: tf.Tensor): Promise<[Float32Array, Float32Array]> {
  try {
    return (await Promise.all([a.data(), b.data()])) as [Float32Array, Float32Array];
  } finally {
    tf.dispose([a, b]);
  }
}
