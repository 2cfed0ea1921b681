// node main.js [model.safetensors]: extracts the features of a few pictures and prints which pictures are alike.
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { extractFeatures } from '@tfjs-ssl/evaluation';
import { loadWeights, resnet18 } from '@tfjs-ssl/resnet';
import { drawPictures, size } from './pictures.js';

const { name, device } = await startEngine('auto');
console.log(`engine: ${name}, ${device}`);

// the encoder of `npm run simclr` at its quick scale, which leaves its weights in the run folder
const encoder = resnet18({ inputShape: [size, size, 3], width: 16, seed: 0 });
const weights = process.argv[2];
if (weights) {
  const { loaded } = await loadWeights(encoder, weights);
  console.log(`encoder: ${loaded.length} tensors of ${weights}`);
} else {
  console.log('encoder: untrained (node main.js runs/FOLDER/model.safetensors takes a trained one)');
}

const { names, pixels } = drawPictures();
const pictureBytes = size * size * 3;
const features = await extractFeatures(encoder, {
  length: names.length,
  imageShape: [size, size, 3],
  read: async (indices) =>
    Uint8Array.from(
      Array.from(indices).flatMap((i) => Array.from(pixels.subarray(i * pictureBytes, (i + 1) * pictureBytes))),
    ),
});
console.log(`features: ${features.shape.join(' x ')}`);

const similarity = tf.tidy(() => {
  const units = tf.div(features, tf.norm(features, 2, 1, true));
  return tf.matMul(units, units, false, true);
});
const rows = await similarity.array();
for (const [i, picture] of names.entries()) {
  const others = names.map((other, j) => ({ other, cosine: rows[i][j] })).filter((_, j) => j !== i);
  const [nearest, second] = others.sort((a, b) => b.cosine - a.cosine);
  const show = ({ other, cosine }) => `${other} (${cosine.toFixed(3)})`;
  console.log(`${picture}: ${show(nearest)}, ${show(second)}`);
}
tf.dispose([features, similarity]);
