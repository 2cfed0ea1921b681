// All pictures of the site, made by the library itself.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { generatedImages } from '@tfjs-ssl/datasets';
import { startEngine } from '@tfjs-ssl/engine';
import { photo } from './photo.mjs';
import { writePng } from './png.mjs';
import { smallRun } from './small-run.mjs';
import { strips } from './strips.mjs';

/** The line that a chain writes about its numbers, shortened to what fits below a picture. */
const caption = (line) =>
  line
    .replace(/randomResizedCrop\(.*?height (\d+), width (\d+)\)/, 'crop $2 x $1')
    .replace('randomHorizontalFlip', 'flip')
    .replace(/randomSolarize\(.*?\)/, 'solarize')
    .replace(/colorJitter\(.*?\)/, 'jitter')
    .replace('randomGrayscale', 'gray')
    .replace(/randomGaussianBlur\(sigma ([\d.]+)\)/, (_, sigma) => `blur ${(+sigma).toFixed(1)}`)
    .replaceAll(' -> ', ', ');

const side = 128;
const views = 7;

/**
 * Draws into a folder, and lists in `pictures.json` what lies there under which label.
 *
 * @param {string} folder - is emptied first.
 */
export async function drawPictures(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await startEngine('simd');
  const image = tf.tensor4d(photo(side), [1, side, side, 3]);
  await writePng(join(folder, 'photo.png'), image);

  const pictures = {};
  for (const [name, cells] of Object.entries(strips)) {
    pictures[name] = [];
    for (const [i, { label, make }] of cells.entries()) {
      const made = make(image);
      pictures[name].push({ label, file: `${name}-${i}.png` });
      await writePng(join(folder, `${name}-${i}.png`), made);
      made.dispose();
    }
  }

  const chain = simclrChain({ size: side, solarizeProbability: 0.2, blurProbability: 1 });
  const numbers = chain.sampleRecords({ seed: 3, epoch: 0, indices: [0], imageSize: side, views });
  const made = chain.apply(image, numbers);
  const captions = numbers.map((record) => caption(chain.describe(record)));
  pictures.views = [
    { label: 'the picture', file: 'photo.png' },
    ...captions.map((label, i) => ({ label, file: `views-${i}.png` })),
  ];
  for (let i = 0; i < views; i++) await writePng(join(folder, `views-${i}.png`), made, i);

  const dataset = generatedImages({ classes: 6, imagesPerClass: 1, size: 64, seed: 2 });
  const pixels = tf.div(tf.tensor4d(await dataset.read([0, 1, 2, 3, 4, 5]), [6, 64, 64, 3], 'int32'), 255);
  pictures.generated = dataset.classNames.map((label, i) => ({ label, file: `generated-${i}.png` }));
  for (let i = 0; i < 6; i++) await writePng(join(folder, `generated-${i}.png`), pixels, i);

  writeFileSync(join(folder, 'loss.svg'), await smallRun());
  writeFileSync(join(folder, 'pictures.json'), JSON.stringify(pictures));
}
