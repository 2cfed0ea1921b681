import * as tf from '@tensorflow/tfjs-core';
import {
  type AugmentStage,
  augmentImages,
  augmentPackedImages,
  hasKernel,
  type PackedImages,
  unpackImages,
} from '@tfjs-ssl/ops';
import type { ImageSize } from './check.ts';
import type { Member } from './members.ts';

/** Neighbours in a chain that run together: as one fused kernel if they have stages, otherwise one after the other. */
export interface Run {
  readonly members: readonly Member[];
  readonly stages: readonly AugmentStage[] | null;
  /** Number of its first column. */
  readonly begin: number;
  /** How many columns it has. */
  readonly width: number;
}

/** Divides a chain into runs, each as long as may be. */
export function toRuns(members: readonly Member[]): Run[] {
  const runs: Run[] = [];
  for (const member of members) {
    const { stages, columns } = member.transform;
    const last = runs.at(-1);
    const width = columns.length;
    if (last && (last.stages === null) === (stages === null)) {
      runs[runs.length - 1] = {
        members: [...last.members, member],
        stages: stages && [...(last.stages ?? []), ...stages],
        begin: last.begin,
        width: last.width + width,
      };
    } else runs.push({ members: [member], stages, begin: member.begin, width });
  }
  return runs;
}

/** Runs over the images of each row, shape [R, columns]; inside a `tf.tidy`. The first one makes R views out of N images. */
export function applyRuns(runs: readonly Run[], images: tf.Tensor4D, table: tf.Tensor2D): tf.Tensor4D {
  return runs.reduce((current, run) => applyRun(run, current, columnsOf(run, table)), images);
}

/** {@link applyRuns} of the packed images at `indices`. */
export function applyRunsPacked(
  runs: readonly Run[],
  images: PackedImages,
  indices: tf.Tensor1D,
  table: tf.Tensor2D,
): tf.Tensor4D {
  const [first, ...others] = runs as [Run, ...Run[]];
  if (first.stages === null || !hasKernel('AugmentPackedImages')) {
    return applyRuns(runs, unpackImages(images, indices), table);
  }
  const size = outputSize(first, images.imageSize);
  const views = augmentPackedImages(images, indices, columnsOf(first, table), first.stages, { size });
  return applyRuns(others, views, table);
}

function applyRun({ members, stages, ...run }: Run, images: tf.Tensor4D, table: tf.Tensor2D): tf.Tensor4D {
  const [count, height, width, channels] = images.shape;
  if (stages && channels === 3 && hasKernel('AugmentImages')) {
    return augmentImages(images, table, stages, { size: outputSize({ members }, [height, width]) });
  }
  const rows = table.shape[0];
  const views = rows === count ? images : tf.tile(images, [rows / count, 1, 1, 1]);
  return members.reduce((current, { transform, begin }) => {
    const part = tf.slice(table, [0, begin - run.begin], [rows, transform.columns.length]);
    return transform.apply(current, part);
  }, views);
}

const outputSize = ({ members }: Pick<Run, 'members'>, size: ImageSize): ImageSize =>
  members.reduce((current, { transform }) => transform.outputSize(current), size);

const columnsOf = ({ begin, width }: Run, table: tf.Tensor2D): tf.Tensor2D =>
  width === table.shape[1] ? table : tf.slice(table, [0, begin], [table.shape[0], width]);
