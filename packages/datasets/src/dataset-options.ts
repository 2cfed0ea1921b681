// Checks of the options that several data sets have.

/** Checks a side in pixels. */
export function checkSize(caller: string, size: number): void {
  if (!Number.isInteger(size) || size < 1 || size > 4096) {
    throw new RangeError(`${caller}: size must be an integer from 1 to 4096 pixels, got ${size}.`);
  }
}

/** Checks the option `split`. */
export function checkSplit(caller: string, split: string): void {
  if (split !== 'train' && split !== 'val') {
    throw new RangeError(`${caller}: split must be 'train' or 'val', got '${split}'.`);
  }
}

/** Checks `imagesPerClass`. */
export function checkImagesPerClass(caller: string, imagesPerClass: number | undefined): void {
  if (imagesPerClass !== undefined && (!Number.isInteger(imagesPerClass) || imagesPerClass < 1)) {
    throw new RangeError(`${caller}: imagesPerClass must be a positive integer, got ${imagesPerClass}.`);
  }
}

/** Checks how a picture is made to fit a square. */
export function checkResize(caller: string, resize: string): void {
  if (resize !== 'crop' && resize !== 'stretch') {
    throw new RangeError(`${caller}: resize must be 'crop' or 'stretch', got '${resize}'.`);
  }
}
