import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Chain, simclrChain } from '@tfjs-ssl/augmentations';
import { namedWeights } from '@tfjs-ssl/layers';
import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
import { type PackedImages, packImages } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import type { NamedVariables } from '@tfjs-ssl/trainer';
import { hyperparameters } from './simclr-step.ts';

/** Size of a step. */
export interface PaperSize {
  /** Images of a step; two views of each. */
  readonly images: number;
  /** Side of the square images in pixels. */
  readonly imageSize: number;
  /** Channels of the encoder's first stage. */
  readonly width: number;
  /** Images that lie on the device, of which a step takes some. Default: as many as a step has. */
  readonly stored?: number;
}

/** What the paper's training step is made of, from 8-bit images that lie on the device to loss and accuracies. */
export interface PaperParts {
  readonly chain: Chain;
  readonly encoder: LayersModel;
  readonly head: LayersModel;
  readonly parameters: NamedVariables;
  readonly images: PackedImages;
  /** The images' bytes, shape [stored, imageSize, imageSize, 3]. */
  readonly pixels: Uint8Array;
  /** What a step takes: where its images lie, and the random numbers of their views. */
  readonly inputs: {
    readonly indices: { readonly shape: readonly [number]; readonly dtype: 'int32' };
    readonly table: { readonly shape: readonly [number, number]; readonly dtype: 'float32' };
  };
  /** The inputs of a step, which the caller disposes; others for every number. */
  inputsOf(step: number): { indices: tf.Tensor1D; table: tf.Tensor2D };
  views(inputs: Readonly<Record<string, tf.Tensor>>): tf.Tensor4D;
  loss(inputs: Readonly<Record<string, tf.Tensor>>): { loss: tf.Scalar; metrics: { top1: tf.Scalar; top5: tf.Scalar } };
  dispose(): void;
}

/** Makes the parts; the images are random bytes. */
export function paperParts({ images: count, imageSize, width, stored = count }: PaperSize): PaperParts {
  const { temperature } = hyperparameters;
  const chain = simclrChain({ size: imageSize, solarizeProbability: 0.2, blurProbability: 1 });
  const encoder = resnet18({ inputShape: [imageSize, imageSize, 3], width, seed: 1 });
  const head = mlpHead({ inputSize: 8 * width, hiddenSizes: [256], outputSize: 128, seed: 2 });
  const { parameters } = namedWeights({ encoder, head });
  const pixels = randomBytes(stored * imageSize * imageSize * 3);
  const images = packImages(pixels, [imageSize, imageSize]);
  const views: PaperParts['views'] = ({ indices, table }) =>
    chain.applyPacked(images, indices as tf.Tensor1D, table as tf.Tensor2D);

  return {
    chain,
    encoder,
    head,
    parameters,
    images,
    pixels,
    inputs: {
      indices: { shape: [count], dtype: 'int32' },
      table: { shape: [2 * count, chain.columns.length], dtype: 'float32' },
    },
    inputsOf(step) {
      const indices = Array.from({ length: count }, (_, i) => (step * count + i) % stored);
      return {
        indices: tf.tensor1d(indices, 'int32'),
        table: chain.sampleTable({ seed: 1, epoch: step, indices, imageSize, views: 2 }),
      };
    },
    views,
    loss(inputs) {
      const features = encoder.apply(views(inputs), { training: true }) as tf.Tensor2D;
      const { loss, ranks } = ntXentWithRanks(head.apply(features, { training: true }) as tf.Tensor2D, { temperature });
      return { loss, metrics: { top1: contrastiveAccuracy(ranks, 1), top5: contrastiveAccuracy(ranks, 5) } };
    },
    dispose() {
      tf.dispose([...images.shards]);
      encoder.dispose();
      head.dispose();
    },
  };
}

/** The same bytes in every run. */
function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator
    bytes[i] = state >>> 24;
  }
  return bytes;
}
