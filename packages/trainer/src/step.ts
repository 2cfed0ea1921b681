import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';
import { compile, type InputSpec, type InputSpecs, type InputTensors, type Precision } from '@tfjs-ssl/engine';
import type { GradientScale } from '@tfjs-ssl/ops';
import { type AfterUpdates, afterScalars, runAfterUpdates } from './after-update.ts';
import { addUp, type Chunks, chunksOf, meanOfChunks } from './chunks.ts';
import { clipByGlobalNorm } from './clip-by-global-norm.ts';
import type { LossScale } from './loss-scale.ts';
import type { ParameterUpdate } from './parameter-update.ts';
import type { RankTeam, StepValues } from './ranks/rank-team.ts';
import { stepInHalves } from './ranks/step-in-halves.ts';
import type { NamedTensors, NamedVariables } from './types.ts';
import { untrainedVariables, warnOfUntrained } from './untrained-variables.ts';

/** What your loss function returns: the scalar to minimise and scalars to watch. */
export interface LossAndMetrics<Metric extends string> {
  /** Scalar, float32: what is minimised. */
  readonly loss: tf.Tensor;
  /** Scalars by name, which do not influence the training. Default: none. */
  readonly metrics?: Readonly<Record<Metric, tf.Tensor>>;
}

/** What one training step is made of. */
export interface StepDefinition<Inputs extends InputSpecs, Metric extends string> {
  readonly parameters: NamedVariables;
  readonly buffers?: NamedVariables;
  readonly inputs: Inputs;
  readonly loss: (inputs: InputTensors<Inputs>) => tf.Tensor | LossAndMetrics<Metric>;
  readonly chunks?: Chunks<Inputs>;
  readonly update: ParameterUpdate;
  readonly afterUpdate: AfterUpdates;
  readonly clipNorm: number | undefined;
  readonly precision: Precision;
  /** For mixed precision: enlarges the loss so that small gradients do not vanish. */
  readonly lossScale: LossScale | null;
  /** The other ranks, each with its part of the batch; null without any. */
  readonly ranks: RankTeam | null;
}

/**
 * A compiled training step: values, shape [1 + metrics], are the loss and then the metrics in the order of `metricNames`; with a loss
 * scale, its factor and whether the step was skipped (1 or 0) follow.
 */
export interface TrainingStep<Input extends string> {
  /** The promise is that of a rank whose engine records steps: the next step waits for it. */
  run(inputs: Readonly<Record<Input, tf.Tensor>>, scalars: readonly number[]): tf.Tensor | Promise<tf.Tensor>;
  /** Known after the first run. */
  readonly metricNames: readonly string[];
  /** See `check` of `CompiledStep`. */
  check(): void;
  dispose(): void;
}

const scalarsInput = 'optimizer.scalars';

/**
 * Compiles one training step: gradients of the loss, clipping, the optimizer's update, the updates after it.
 *
 * Everything that changes from step to step comes in as tensors (the numbers of all updates in one upload), everything that
 * stays lives in variables, and all that is to be read comes out as one small tensor: such a step can be recorded and replayed.
 */
export function trainingStep<Inputs extends InputSpecs, Metric extends string>(
  definition: StepDefinition<Inputs, Metric>,
): TrainingStep<keyof Inputs & string> {
  const { parameters, loss, update, afterUpdate, clipNorm, precision, lossScale, ranks } = definition;
  if (scalarsInput in definition.inputs) {
    throw argumentError({
      fn: 'Trainer',
      argument: 'inputs',
      required: `not have the name '${scalarsInput}', which the trainer uses`,
      got: scalarsInput,
      advice: 'Choose another name.',
    });
  }
  const optimizerScalars = update.scalars(0, 0).length;
  const scalarCount = optimizerScalars + afterScalars(afterUpdate, 0).length;
  const metricNames: string[] = [];
  let first = true;

  /** Gradients of the loss of one chunk, times its share; its loss and metrics are added to `values`, kept. */
  const gradientsOf = (chunk: InputTensors<Inputs>, share: number, values: tf.Tensor[]): NamedTensors => {
    const { grads } = tf.variableGrads(() => {
      const given = loss(chunk);
      const result: LossAndMetrics<Metric> = given instanceof tf.Tensor ? { loss: given } : given;
      checkScalar('loss', result.loss);
      if (first) warnOfUntrained(untrainedVariables({ ...parameters, ...definition.buffers }));
      first = false;
      const entries = Object.entries<tf.Tensor>(result.metrics ?? {});
      metricNames.splice(0, Number.POSITIVE_INFINITY, ...entries.map(([name]) => name));
      for (const [name, metric] of entries) checkScalar(`metric '${name}'`, metric);
      // kept: variableGrads disposes all that its function makes, except what it returns
      for (const scalar of [result.loss, ...entries.map(([, metric]) => metric)]) {
        values.push(tf.keep(asVector(scalar)));
      }
      const shared = (share === 1 ? result.loss : tf.mul(result.loss, share)) as tf.Scalar;
      return lossScale ? lossScale.enlarge(shared) : shared;
    }, Object.values(parameters));
    return gradientsByName(parameters, grads);
  };

  /** Forward and backward pass of all chunks. */
  const pass = (own: NamedTensors): StepValues => {
    const kept: tf.Tensor[] = [];
    try {
      const chunks = chunksOf(own as unknown as InputTensors<Inputs>, definition.chunks);
      return {
        gradients: addUp(chunks, (chunk) => gradientsOf(chunk, 1 / (chunks.length * (ranks?.size ?? 1)), kept)),
        values: meanOfChunks(kept, chunks.length),
      };
    } finally {
      tf.dispose(kept);
    }
  };

  /** The updates; returns the values of the step. */
  const finish = ({ gradients, values }: StepValues, numbers: tf.Tensor1D): tf.Tensor1D => {
    const scalars = numbers.size > optimizerScalars ? tf.slice(numbers, 0, optimizerScalars) : numbers;
    if (!lossScale) {
      const clipped = clipNorm === undefined ? gradients : clipByGlobalNorm(gradients, clipNorm);
      update.update(clipped, scalars);
      runAfterUpdates(afterUpdate, numbers, optimizerScalars);
      return values;
    }
    const scale = lossScale.gradientScale(Object.values(gradients));
    const [given, remaining] = clipNorm === undefined ? [gradients, scale] : clipScaled(gradients, scale, clipNorm);
    update.update(given, scalars, { scale: remaining, skippedSteps: lossScale.skippedSteps });
    runAfterUpdates(afterUpdate, numbers, optimizerScalars);
    return tf.concat([values, lossScale.finish(scale)]);
  };

  if (ranks?.recorded) {
    const { inputs } = definition;
    const halves = stepInHalves({ parameters, inputs, scalars: scalarCount, precision, ranks, pass, finish });
    return { metricNames, ...halves };
  }

  const inputs: Record<string, InputSpec> = { ...definition.inputs, [scalarsInput]: { shape: [scalarCount] } };
  const compiled = compile(
    (named: Readonly<Record<string, tf.Tensor>>) => {
      const { [scalarsInput]: numbers, ...own } = named as { [scalarsInput]: tf.Tensor1D } & typeof named;
      const values = ranks ? ranks.join(ranks.run(() => pass(own))) : pass(own);
      return { values: finish(values, numbers) };
    },
    { inputs, precision },
  );

  return {
    metricNames,
    check: () => compiled.check(),
    dispose: () => compiled.dispose(),
    run(own, scalars) {
      const uploaded = tf.tensor1d([...scalars], 'float32');
      try {
        return compiled({ ...own, [scalarsInput]: uploaded }).values;
      } finally {
        uploaded.dispose();
      }
    },
  };
}

/** Gradients that were enlarged, clipped in their true size; and what is left to do with them. */
function clipScaled(gradients: NamedTensors, scale: GradientScale, clipNorm: number): [NamedTensors, GradientScale] {
  const [factor, applies] = tf.unstack(scale) as [tf.Scalar, tf.Scalar];
  const entries = Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)] as const);
  return [
    clipByGlobalNorm(Object.fromEntries(entries), clipNorm),
    tf.stack([tf.onesLike(applies), applies]) as GradientScale,
  ];
}

/** A new tensor of shape [1], float32. */
const asVector = (scalar: tf.Tensor): tf.Tensor => tf.reshape(tf.cast(scalar, 'float32'), [1]);

function checkScalar(what: string, value: tf.Tensor): void {
  if (!(value instanceof tf.Tensor) || value.rank !== 0) {
    const got = value instanceof tf.Tensor ? `shape ${showValue(value.shape)}` : showValue(value);
    throw argumentError({
      kind: 'type',
      fn: 'Trainer',
      argument: what,
      required: 'be a scalar tensor',
      got: value,
      shown: got,
      advice: 'Return `{ loss, metrics: { name: scalar } }`, and take the mean over the batch.',
    });
  }
}

function gradientsByName(parameters: NamedVariables, byVariable: tf.NamedTensorMap): NamedTensors {
  const missing = Object.keys(parameters).filter((name) => !byVariable[parameters[name]!.name]);
  if (missing.length > 0) {
    throw argumentError({
      fn: 'Trainer',
      argument: 'parameters',
      required: 'all get a gradient',
      got: missing,
      shown: `none for ${missing.join(', ')}`,
      advice: 'Leave out what the loss does not depend on, and what is not trainable.',
    });
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([name, variable]) => [name, byVariable[variable.name] as tf.Tensor]),
  );
}
