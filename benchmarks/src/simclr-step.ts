import * as tf from '@tensorflow/tfjs-core';
import { efficientnetB0 } from '@tfjs-ssl/efficientnet';
import { compile } from '@tfjs-ssl/engine';
import { encodeWeights, namedWeights } from '@tfjs-ssl/layers';
import { ntXentWithRanks } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { encodeSafetensors } from '@tfjs-ssl/safetensors';
import { adam } from '@tfjs-ssl/trainer';

/** What the paper's training step is run with. */
export const hyperparameters = { temperature: 0.07, learningRate: 3e-4, weightDecay: 1e-4 } as const;

/** Size of a step. */
export interface SimclrStepOptions {
  /** Rows of a step: two views for every image. */
  readonly views: number;
  /** Side of the square views in pixels. */
  readonly imageSize: number;
  /** Channels of a ResNet's first stage; of an EfficientNet, 64 stands for its standard width. */
  readonly width: number;
  /** Default: `'resnet18'`. */
  readonly encoder?: EncoderName;
}

/** Encoders that a step can train. */
export const encoderNames = ['resnet18', 'efficientnet-b0'] as const;
type EncoderName = (typeof encoderNames)[number];

/** A training step with its weights, optimizer and input, ready to run. */
export interface SimclrStep {
  /** Number of trained values. */
  readonly parameters: number;
  /** Does steps and returns the last one's loss (computed before its update). */
  run(steps: number): Promise<number>;
  /** Does steps and returns the seconds they took, the reading of the last loss included. */
  time(steps: number): Promise<number>;
  /** The weights and the input as safetensors files, so that a rival starts from the same. */
  files(): Promise<Record<'encoder' | 'head' | 'views', Uint8Array>>;
  dispose(): void;
}

/**
 * Makes the training step of the paper on given views: ResNet-18 (or EfficientNet-B0 without stochastic depth), the slim head (256 and 128 units), NT-Xent, Adam.
 *
 * The views are random numbers: a step takes as long on them as on images.
 */
export function simclrStep({
  views: rows,
  imageSize,
  width,
  encoder: name = 'resnet18',
}: SimclrStepOptions): SimclrStep {
  const { temperature, learningRate, weightDecay } = hyperparameters;
  const shape: [number, number, number, number] = [rows, imageSize, imageSize, 3];
  const inputShape = [imageSize, imageSize, 3] as const;
  const encoder =
    name === 'resnet18'
      ? resnet18({ inputShape, width, seed: 1 })
      : efficientnetB0({ inputShape, width: width / 64, stochasticDepth: 0, seed: 1 });
  const head = mlpHead({ inputSize: encoder.outputShape[1] as number, hiddenSizes: [256], outputSize: 128, seed: 2 });
  const views = tf.randomUniform<tf.Rank.R4>(shape, 0, 1, 'float32', 3);
  const { parameters } = namedWeights({ encoder, head });
  const optimizer = adam({ weightDecay });
  const state = optimizer.createState(parameters);
  let updates = 0;

  const step = compile(
    ({ views, scalars }) => {
      const { value: loss, grads } = tf.variableGrads(() => {
        const features = encoder.apply(views, { training: true });
        const projections = head.apply(features, { training: true }) as tf.Tensor2D;
        return ntXentWithRanks(projections, { temperature }).loss;
      }, Object.values(parameters));
      const gradients: Record<string, tf.Tensor> = {};
      for (const [name, variable] of Object.entries(parameters)) gradients[name] = grads[variable.name]!;
      optimizer.update(parameters, gradients, state, scalars as tf.Tensor1D);
      return { loss };
    },
    { inputs: { views: { shape }, scalars: { shape: [optimizer.scalars(1, learningRate).length] } } },
  );

  async function run(steps: number): Promise<number> {
    let lossOfLast = Number.NaN;
    for (let left = steps; left > 0; left--) {
      const scalars = tf.tensor1d(optimizer.scalars(++updates, learningRate));
      const { loss } = step({ views, scalars });
      if (left === 1) lossOfLast = (await loss.data())[0]!; // waits for engines that compute asynchronously
      tf.dispose([scalars, loss]);
    }
    if (!Number.isFinite(lossOfLast)) throw new Error(`simclrStep: the loss must be finite, got ${lossOfLast}.`);
    return lossOfLast;
  }

  return {
    parameters: Object.values(parameters).reduce((sum, { size }) => sum + size, 0),
    run,
    async time(steps) {
      const start = performance.now();
      await run(steps);
      return (performance.now() - start) / 1000;
    },
    async files() {
      const data = (await views.data()) as Float32Array;
      return {
        encoder: await encodeWeights(encoder),
        head: await encodeWeights(head),
        views: encodeSafetensors({ views: { dtype: 'F32', shape, data } }),
      };
    },
    dispose() {
      views.dispose();
      tf.dispose(Object.values(state).flatMap((slot) => Object.values(slot)));
      encoder.dispose();
      head.dispose();
    },
  };
}
