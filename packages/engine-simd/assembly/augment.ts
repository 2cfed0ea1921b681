// The fused augmentation chain: one task makes one view, from its image and its row of the parameter table. In between, the view
// lies as three planes in memory of the thread, so it never leaves the processor's caches.
import { blur } from './augment-blur';
import { adjustContrast, adjustHue, adjustSaturation, scaleAndClamp, toGray } from './augment-color';
import { resizedCrop } from './augment-crop';
import { deinterleave, flip, interleave, normalizePlane, planeLength, solarize, unpack } from './augment-planes';
import { SCRATCH, SCRATCH_SIZE } from './layout';
import { floats, int, pointer, real } from './words';

@unmanaged
class AugmentJob {
  task: i32;
  /** Floats of all images; or, where they are 8-bit, a table of the addresses of their bytes, 0 for one that is not there. */
  images: usize;
  parameters: usize;
  output: usize;
  /** Working memory: workBytes for each thread, of which the first 2 * bufferBytes hold the view and what a stage makes of it. */
  work: usize;
  workBytes: i32;
  bufferBytes: i32;
  imageCount: i32;
  height: i32;
  width: i32;
  /** Columns of the parameter table. */
  columns: i32;
  /** 1: images are 8-bit. */
  packed: i32;
  /** Number of stages; they follow, each of STAGE_WORDS: kind, then what is the same for all images. */
  stages: i32;
}

const STAGE_WORDS: i32 = 8;

// Kinds of stages, as in `src/kernels/augment-images.ts`.
const RESIZED_CROP: i32 = 0;
const HORIZONTAL_FLIP: i32 = 1;
const SOLARIZE: i32 = 2;
const COLOR_JITTER: i32 = 3;
const GRAYSCALE: i32 = 4;
const GAUSSIAN_BLUR: i32 = 5;
const NORMALIZE: i32 = 6;

/** Makes view `index`. */
export function augmentTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<AugmentJob>(address);
  const work = job.work + ((scratch - SCRATCH) / SCRATCH_SIZE) * <usize>job.workBytes;
  let planes = work;
  let spare = work + <usize>job.bufferBytes;
  const extra = spare + <usize>job.bufferBytes;
  let height = job.height;
  let width = job.width;
  let image = job.images + floats((index % job.imageCount) * height * width * 3);
  if (job.packed) {
    image = spare;
    unpack(pointer(job.images, index % job.imageCount), height * width * 3, image);
  }
  let row = job.parameters + floats(index * job.columns);
  let stage = address + offsetof<AugmentJob>();
  let inPlanes = false;
  for (let s = 0; s < job.stages; s++, stage += floats(STAGE_WORDS)) {
    const kind = int(stage, 0);
    if (kind === RESIZED_CROP) {
      const pixels = inPlanes ? spare : image;
      if (inPlanes) interleave(planes, height * width, spare);
      resizedCrop(pixels, height, width, row, stage, planes, extra);
      height = int(stage, 1);
      width = int(stage, 2);
      inPlanes = true;
      row += floats(4);
      continue;
    }
    if (!inPlanes) {
      deinterleave(image, height * width, planes);
      inPlanes = true;
    }
    const applied = real(row, 0) > 0;
    const size = height * width;
    switch (kind) {
      case HORIZONTAL_FLIP: {
        if (applied) flip(planes, height, width);
        row += floats(1);
        break;
      }
      case SOLARIZE: {
        if (applied) solarize(planes, size, real(row, 1));
        row += floats(2);
        break;
      }
      case COLOR_JITTER: {
        if (applied) jitter(planes, size, row);
        row += floats(9);
        break;
      }
      case GRAYSCALE: {
        if (applied) toGray(planes, size);
        row += floats(1);
        break;
      }
      case GAUSSIAN_BLUR: {
        if (applied) {
          blur(planes, spare, height, width, int(stage, 1), real(row, 1), extra);
          const blurred = spare;
          spare = planes;
          planes = blurred;
        }
        row += floats(2);
        break;
      }
      case NORMALIZE: {
        for (let c = 0; applied && c < 3; c++) {
          normalizePlane(planes + floats(c * planeLength(size)), size, real(stage, 1 + c), real(stage, 4 + c));
        }
        row += floats(1);
        break;
      }
      default:
        unreachable();
    }
  }
  if (!inPlanes) deinterleave(image, height * width, planes);
  interleave(planes, height * width, job.output + floats(index * height * width * 3));
}

/** Four operations in the order of the row: applied, first to fourth, then the factor of each. */
function jitter(planes: usize, size: i32, row: usize): void {
  for (let place = 1; place <= 4; place++) {
    const operation = <i32>real(row, place);
    const factor = real(row, 5 + operation);
    switch (operation) {
      case 0: scaleAndClamp(planes, size, factor); break;
      case 1: adjustContrast(planes, size, factor); break;
      case 2: adjustSaturation(planes, size, factor); break;
      case 3: {
        if (factor !== 0) adjustHue(planes, size, factor);
        break;
      }
    }
  }
}
