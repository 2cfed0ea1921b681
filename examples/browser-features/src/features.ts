import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Chain, simclrChain } from '@tfjs-ssl/augmentations';
import { loadWeights, resnet18 } from '@tfjs-ssl/resnet';
import { size } from './pictures.ts';

const chain: Chain = simclrChain({ size, solarizeProbability: 0.2, blurProbability: 1 });

/** The encoder of `npm run simclr` at its quick scale, made when an engine is there; untrained until weights are loaded. */
const theEncoder = (): LayersModel => {
  encoder ??= resnet18({ inputShape: [size, size, 3], width: 16, seed: 0 });
  return encoder;
};
let encoder: LayersModel | undefined;

/** Takes weights from a safetensors file. */
export async function loadEncoder(file: File): Promise<number> {
  const { loaded } = await loadWeights(theEncoder(), new Uint8Array(await file.arrayBuffer()));
  return loaded.length;
}

/** Pictures as a tensor of shape [pictures, size, size, 3] in [0, 1]; the caller disposes it. */
export function toTensor(pictures: readonly ImageData[]): tf.Tensor4D {
  const values = pictures.flatMap(({ data }) => Array.from(data).filter((_, i) => i % 4 !== 3));
  return tf.tensor4d(
    Float32Array.from(values, (value) => value / 255),
    [pictures.length, size, size, 3],
  );
}

/** A picture from the values of such a tensor. */
export function toImageData(values: Float32Array): ImageData {
  const image = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * pixel + channel] = 255 * (values[3 * pixel + channel] as number);
    }
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

/** Random views of one picture, shape [views, size, size, 3]; the caller disposes them. */
export function viewsOf(picture: tf.Tensor4D, views: number, seed: number): tf.Tensor4D {
  return chain.makeViews(picture, { seed, epoch: 0, indices: [0], views });
}

/** Features of images, shape [images, features]; the caller disposes them. */
export function featuresOf(images: tf.Tensor4D): tf.Tensor2D {
  const model = theEncoder();
  return tf.tidy(() => model.predict(images) as tf.Tensor2D);
}

/**
 * Where features lie as seen from a centre, of length 1, shape [images, features]; the caller disposes it. Seen from zero, the features of an
 * untrained encoder all lie in nearly the same direction.
 */
export function directions(features: tf.Tensor2D, centre: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const offsets = tf.sub(features, centre);
    return tf.div(offsets, tf.norm(offsets, 2, 1, true));
  });
}

/** The cosine of every row of `a` and the one row of `b`. */
export async function cosines(a: tf.Tensor2D, b: tf.Tensor2D): Promise<Float32Array> {
  const product = tf.tidy(() => tf.matMul(a, b, false, true));
  const values = await product.data<'float32'>();
  product.dispose();
  return values;
}
