import type * as tf from '@tensorflow/tfjs-core';
import { stochasticDepthShape, stochasticDepthTable, type TypedModel } from '@tfjs-ssl/efficientnet';
import type { InputTensors } from '@tfjs-ssl/engine';
import type { FeedInputs, ImageFeed } from '@tfjs-ssl/feed';
import type { World } from '@tfjs-ssl/ops';

/** The tensors of a step: images and views, and the factors of stochastic depth if the encoder has it. */
export type StepTensors = InputTensors<FeedInputs> & { readonly stochasticDepth?: tf.Tensor };

/** A feed whose steps also take the factors of the encoder's stochastic depth, by seed and step; the feed itself if there is none. */
export function withStochasticDepth(
  feed: ImageFeed,
  encoder: TypedModel,
  { seed, world }: { readonly seed: number; readonly world: World },
): ImageFeed {
  if (!encoder.layers.some((layer) => layer.getClassName() === 'TorchStochasticDepth')) return feed;
  const rows = feed.specs.table.shape[0];
  const shape = stochasticDepthShape(encoder, rows);
  // rows are all of view 0, then all of view 1: of one process those of the complete batch, of a rank those of its part
  const own = feed.imagesPerStep / world.size;
  const numberOf = (row: number) => Math.floor(row / own) * feed.imagesPerStep + world.rank * own + (row % own);
  const specs = { ...feed.specs, stochasticDepth: { shape, dtype: 'float32' } };
  return {
    ...feed,
    specs,
    inputs(batch) {
      const step = batch.epoch * feed.stepsPerEpoch + batch.step;
      return { ...feed.inputs(batch), stochasticDepth: stochasticDepthTable(encoder, { seed, step, rows, numberOf }) };
    },
  };
}
