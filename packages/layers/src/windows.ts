import type { Shape } from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';

/** A square window that slides over an image padded on all four sides alike. */
export interface Window {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

/** Shape of what a window gives for images [N, H, W, C]; axes that are not known yet stay so. */
export function windowOutputShape(caller: string, input: Shape, channels: number | null, window: Window): Shape {
  const [images, ...sides] = input.slice(0, 3) as [number | null, number | null, number | null];
  const [height, width] = sides.map((length) => {
    if (length === null) return null;
    const { size, stride, padding } = window;
    if (length + 2 * padding < size) {
      throw argumentError({
        fn: caller,
        argument: 'input',
        required: `have sides of at least ${size - 2 * padding} pixels for a window of ${size} with padding ${padding}`,
        got: input,
        shown: `shape [${describe(input)}]`,
        advice: 'Use larger images or a smaller window.',
      });
    }
    return Math.floor((length + 2 * padding - size) / stride) + 1;
  });
  return [images, height as number | null, width as number | null, channels];
}

/** The padding, by TensorFlow.js's name if a name means the same. Backends are faster with a name, and tfjs-node needs one. */
export function paddingArgument({ size, stride, padding }: Window): 'valid' | 'same' | number {
  if (padding === 0) return 'valid';
  // Of strides above 1, 'same' pads even images at the end only.
  return stride === 1 && size === 2 * padding + 1 ? 'same' : padding;
}

/** Throws unless every named number is a whole one of at least `minimum`. */
export function requireWhole(caller: string, minimum: number, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    checkNumber(caller, name, value, { min: minimum, integer: true }, 'Pass a whole number.');
  }
}

/** Throws unless the input is of images with a known number of channels; returns that number. */
export function imageChannels(caller: string, input: Shape | Shape[]): number {
  const channels = input[3];
  if (input.length !== 4 || typeof channels !== 'number') {
    throw argumentError({
      fn: caller,
      argument: 'input',
      required: 'have shape [N, H, W, C] with C known',
      got: input,
      shown: `[${describe(input)}]`,
      advice: "Give the model's input shape with its channels.",
    });
  }
  return channels;
}

/** A shape for an error message. */
export function describe(shape: Shape | Shape[]): string {
  return shape.map((length) => (Array.isArray(length) ? `[${describe(length)}]` : String(length))).join(', ');
}
