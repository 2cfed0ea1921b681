import type { AugmentStage } from '@tfjs-ssl/ops';
import { floatBits } from '../runtime.ts';
import { AUGMENT_IMAGES } from '../task-ids.ts';
import { ceilDiv, defineKernel, type SimdKernel } from './kernel.ts';

type Size = readonly [height: number, width: number];

/** Kinds of stages by number, as `assembly/augment.ts` has them. */
const kinds: readonly AugmentStage['kind'][] = [
  'resizedCrop',
  'horizontalFlip',
  'solarize',
  'colorJitter',
  'grayscale',
  'gaussianBlur',
  'normalize',
];
const STAGE_WORDS = 8;

/** The words that describe a stage: its kind, then what is the same for all images. */
function stageWords(stage: AugmentStage): number[] {
  const words = [kinds.indexOf(stage.kind)];
  if (stage.kind === 'resizedCrop') words.push(...stage.size, stage.antialias ? 1 : 0);
  if (stage.kind === 'gaussianBlur') words.push(stage.kernelSize);
  if (stage.kind === 'normalize') words.push(...stage.mean.map(floatBits), ...stage.std.map(floatBits));
  return [...words, ...Array<number>(STAGE_WORDS - words.length).fill(0)];
}

/** Bytes of an image in three planes; a plane has room for its last row's last vector to run over. */
const planesBytes = ([height, width]: Size): number => 3 * 4 * ((height * width + 7) & ~3);

/** Weights kept for each pixel of a crop's output: those of the largest box, an image of `from` pixels. */
const tapStride = (from: number, to: number): number => 2 * ceilDiv(Math.max(from, to), to) + 2;

/** Memory that a thread needs: for an image in planes, and for weights and lines. */
function workspace(stages: readonly AugmentStage[], imageSize: Size): { bufferBytes: number; extraBytes: number } {
  let size = imageSize;
  let bufferBytes = planesBytes(size);
  let extraWords = 0;
  for (const stage of stages) {
    const [height, width] = size;
    if (stage.kind === 'resizedCrop') {
      const [toHeight, toWidth] = stage.size;
      const [rowTaps, columnTaps] = [tapStride(height, toHeight), tapStride(width, toWidth)];
      const padded = 4 * ceilDiv(toWidth, 4);
      extraWords = Math.max(extraWords, padded * (1 + columnTaps) + rowTaps + 3 * (width + columnTaps) + 4);
      size = stage.size;
      bufferBytes = Math.max(bufferBytes, planesBytes(size));
    }
    // A line with its borders, and the vectors that look past its end.
    if (stage.kind === 'gaussianBlur') extraWords = Math.max(extraWords, 2 * stage.kernelSize + width + 16);
  }
  return { bufferBytes, extraBytes: 64 * ceilDiv(4 * extraWords, 64) };
}

/** The augmentation chain as one job, a view a task. */
const augmentImages = defineKernel<'images' | 'parameters', { stages: readonly AugmentStage[]; size: Size }>(
  'AugmentImages',
  ({ inputs: { images, parameters }, attributes: { stages, size }, backend }) => {
    const { runtime } = backend;
    const [count, height, width] = images.shape as [number, number, number, number];
    const [views, columns] = parameters.shape as [number, number];
    const { info, address } = backend.output([views, ...size, 3]);
    const { bufferBytes, extraBytes } = workspace(stages, [height, width]);
    const workBytes = 2 * bufferBytes + extraBytes;
    runtime.withTemporary(runtime.threads * workBytes, (work) => {
      runtime.runOnce(
        views,
        ...[
          AUGMENT_IMAGES,
          backend.address(images),
          backend.address(parameters),
          address,
          work,
          workBytes,
          bufferBytes,
        ],
        ...[count, height, width, columns, stages.length, ...stages.flatMap(stageWords)],
      );
    });
    return info;
  },
);

/** The fused augmentation chain. */
export const augmentKernels: readonly SimdKernel[] = [augmentImages];
