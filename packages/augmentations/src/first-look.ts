import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';

/** Larger than any value of images in [0, 1], normalised ones included; less than what any 8-bit image but a black one reaches. */
const plainlyBytes = 8;

/** Backends that compute beside this thread: to wait for a value would halt them. */
const runAhead: ReadonlySet<string> = new Set(['webgpu', 'webgl']);

/**
 * A check that the images of a chain are not those of 0 to 255. It looks at the first batch alone, so that it costs a step nothing.
 *
 * @param fn - what the error names.
 * @returns a function of images: it throws. If a read would halt the engine, it warns instead, as soon as the values are available.
 */
export function firstLook(fn: string): (images: tf.Tensor4D) => void {
  let looked = false;
  return (images) => {
    if (looked) return;
    looked = true;
    if (!runAhead.has(tf.getBackend())) {
      const error = faultOf(fn, images.dataSync<'float32'>());
      if (error) throw error;
      return;
    }
    const values = images.data<'float32'>();
    values.then(
      (read) => {
        const error = faultOf(fn, read);
        if (error) console.warn(error.message);
      },
      () => {}, // a step that is being recorded cannot be read; a device that is lost says so itself
    );
  };
}

function faultOf(fn: string, values: Float32Array): Error | null {
  let largest = 0;
  for (const value of values) if (value > largest) largest = value;
  if (largest <= plainlyBytes) return null;
  return argumentError({
    fn,
    argument: 'images',
    required: 'be in [0, 1]',
    got: largest,
    shown: `values up to ${largest}`,
    advice: 'Divide images of 0 to 255 by 255: tf.div(images, 255).',
  });
}
