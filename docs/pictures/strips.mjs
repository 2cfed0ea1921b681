// What every transform does to one picture, at several strengths: the cells of the strips on the page about views.
import * as tf from '@tensorflow/tfjs-core';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  gaussianBlur,
  horizontalFlip,
  normalize,
  resizedCrop,
  solarize,
  toGrayscale,
} from '@tfjs-ssl/augmentations';

/** @typedef {{ label: string, make: (image: tf.Tensor4D) => tf.Tensor4D }} Cell */

const original = { label: 'original', make: (image) => tf.clone(image) };
const over = (values, label, make) =>
  values.map((value) => ({ label: label(value), make: (image) => make(image, value) }));

/** A square crop of this share of the area, around the balloon. */
function crop(image, area) {
  const side = image.shape[1];
  const length = Math.round(side * Math.sqrt(area));
  const corner = (centre) => Math.round(Math.min(side - length, Math.max(0, centre * side - length / 2)));
  return resizedCrop(image, { top: corner(0.34), left: corner(0.62), height: length, width: length }, { size: side });
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** @type {Readonly<Record<string, Cell[]>>} */
export const strips = {
  resizedCrop: over([1, 0.6, 0.3, 0.15, 0.08], (area) => `${100 * area} % of the area`, crop),
  horizontalFlip: [original, { label: 'flipped', make: (image) => horizontalFlip(image) }],
  solarize: over([1, 0.75, 128 / 255, 0.25, 0], (threshold) => `threshold ${+threshold.toFixed(2)}`, solarize),
  adjustBrightness: over([0.2, 0.6, 1, 1.4, 1.8], (factor) => `factor ${factor}`, adjustBrightness),
  adjustContrast: over([0.2, 0.6, 1, 1.4, 1.8], (factor) => `factor ${factor}`, adjustContrast),
  adjustSaturation: over([0, 0.5, 1, 1.8, 3], (factor) => `factor ${factor}`, adjustSaturation),
  adjustHue: over([-0.4, -0.2, 0, 0.2, 0.4], (turns) => `${turns} turns`, adjustHue),
  toGrayscale: [original, { label: 'grayscale', make: (image) => toGrayscale(image) }],
  gaussianBlur: [
    original,
    ...over(
      [0.5, 1, 2, 4],
      (sigma) => `sigma ${sigma}`,
      (image, sigma) => gaussianBlur(image, { kernelSize: 21, sigma }),
    ),
  ],
  normalize: [
    original,
    {
      label: 'normalised, shown from −2.2 to 2.7',
      make: (image) => tf.div(tf.add(normalize(image, imagenet), 2.2), 4.9),
    },
  ],
};
