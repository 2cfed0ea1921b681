// Checks of the options that several data sets have.
import { checkChoice, checkNumber } from '@tfjs-ssl/checks';

/** Checks a side in pixels. */
export function checkSize(caller: string, size: number): void {
  checkNumber(caller, 'size', size, { min: 1, max: 4096, integer: true }, 'It is the side of an image in pixels.');
}

/** Checks the option `split`. */
export function checkSplit(caller: string, split: string): void {
  checkChoice(caller, 'split', split, ['train', 'val']);
}

/** Checks how many classes are asked for. */
export function checkClasses(caller: string, classes: number, most: number): void {
  checkNumber(caller, 'classes', classes, { min: 1, max: most, integer: true }, 'Leave it out for all there are.');
}

/** Checks `imagesPerClass`. */
export function checkImagesPerClass(caller: string, imagesPerClass: number | undefined): void {
  if (imagesPerClass === undefined) return;
  checkNumber(caller, 'imagesPerClass', imagesPerClass, { min: 1, integer: true }, 'Leave it out for all there are.');
}

/** Checks how a picture is made to fit a square. */
export function checkResize(caller: string, resize: string): void {
  checkChoice(caller, 'resize', resize, ['crop', 'stretch']);
}
