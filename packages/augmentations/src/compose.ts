import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { PackedImages } from '@tfjs-ssl/ops';
import { applyRuns, applyRunsPacked, toRuns } from './chain-runs.ts';
import { checkImages } from './check.ts';
import { firstLook } from './first-look.ts';
import { imageRng } from './image-rng.ts';
import { type Member, placeColumns, sampleInto } from './members.ts';
import { checkOrigin, rememberOrigin } from './table-origin.ts';
import { flatten, type Parameters, parameterTable, type Transform } from './transform.ts';
import { checkIndices, checkRows, type SampleOptions, type ViewOptions, viewKeys } from './view-keys.ts';

/** Transforms in sequence. A chain is itself a transform; in addition, it can draw one table of parameters for all views of a batch. */
export interface Chain extends Transform {
  /** Its transforms in the order in which they run. Chains among them are flattened. */
  readonly transforms: readonly Transform[];
  /**
   * Makes views of images: {@link Chain.sampleTable} and {@link Chain.apply} in one call.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1].
   * @param options - see {@link ViewOptions}.
   * @returns a new tensor of shape [V * N, h, w, C], first all of view 0, then all of view 1; the caller (or the surrounding `tf.tidy`) disposes it.
   * @throws RangeError if there is not one index for each image; RangeError or TypeError if the images are not float32.
   */
  makeViews(images: tf.Tensor4D, options: ViewOptions): tf.Tensor4D;
  /**
   * Draws the numbers of all views of a batch, each from the generator of its own seed, epoch, image and view.
   *
   * @param options - see {@link SampleOptions}.
   * @returns the table that {@link Chain.apply} takes, shape [V * N, columns], float32: first all of view 0, then all of view 1. The caller
   * (or the surrounding `tf.tidy`) disposes it.
   * @throws RangeError if a number is not of the kind described.
   */
  sampleTable(options: SampleOptions): tf.Tensor2D;
  /**
   * Draws the same numbers as {@link Chain.sampleTable}, as records that you can log, store, {@link Chain.describe} or apply.
   *
   * @param options - see {@link SampleOptions}.
   * @returns V * N records, in the order of the table's rows.
   * @throws RangeError if a number is not of the kind described.
   */
  sampleRecords(options: SampleOptions): Parameters[];
  /**
   * Makes the views. It depends only on its two tensors and reads nothing back, so you can call it in a compiled step.
   *
   * If the engine has the fused kernel (`AugmentImages`), neighbouring transforms with stages run as one kernel, and only a transform
   * without stages runs as its own function. On other engines the chain runs transform by transform, with the same result.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1]; NaN stays NaN, in its own image.
   * @param parameters - the table as a tensor of shape [V * N, columns], or V * N records; row r belongs to image r mod N.
   * @returns a new tensor of shape [V * N, h, w, C], which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError or TypeError if the shapes do not fit each other, the images are not float32, the first images have values of 0 to 255
   * (on a GPU this is a warning), or the numbers were sampled for images of another size or for another chain.
   */
  apply(images: tf.Tensor4D, parameters: readonly Parameters[] | tf.Tensor2D): tf.Tensor4D;
  /**
   * Makes the views of images that lie packed in the engine's memory: {@link Chain.apply} of the images at `indices`, divided by 255.
   * If the engine has the kernel `AugmentPackedImages`, the first transforms with stages run as this kernel.
   *
   * @param images - see `PackedImages` of `@tfjs-ssl/ops`; `uploadImages` there makes them.
   * @param indices - positions of the N images, shape [N], int32.
   * @param parameters - as of {@link Chain.apply}.
   * @returns a new tensor of shape [V * N, h, w, 3], which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError if the shapes do not fit each other, or the numbers were sampled for images of another size or for another chain.
   */
  applyPacked(images: PackedImages, indices: tf.Tensor1D, parameters: readonly Parameters[] | tf.Tensor2D): tf.Tensor4D;
  /**
   * Makes a table of records, for example those of {@link Chain.sampleRecords}. A step needs the table, because it takes only tensors.
   *
   * @param records - one per view.
   * @returns shape [records, columns], float32, which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError if a number is missing or not finite.
   */
  toTable(records: readonly Parameters[]): tf.Tensor2D;
  /** One line for people that says what the numbers do; transforms that are not applied are left out. */
  describe(parameters: Parameters): string;
}

/**
 * Puts transforms in sequence.
 *
 * @param transforms - the transforms to run, in this order. Chains among them are flattened.
 * @returns the chain. Its columns are those of its transforms, for example `colorJitter.hue`; a second transform of the same name
 * has `colorJitter2.hue`.
 * @throws RangeError if there is no transform.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { compose, randomHorizontalFlip, randomResizedCrop, randomSolarize } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const chain = compose([randomResizedCrop({ size: 32 }), randomHorizontalFlip(), randomSolarize({ p: 0.2 })]);
 * const images = tf.randomUniform<tf.Rank.R4>([2, 64, 64, 3]);
 * const keys = { seed: 0, epoch: 0, indices: [17, 4] };
 * console.log(chain.makeViews(images, keys).shape); // [4, 32, 32, 3]: rows 0 and 2 are the views of image 17
 * const table = chain.sampleTable({ ...keys, imageSize: 64 }); // for a step, which takes its numbers as an input
 * console.log(chain.apply(images, table).shape); // the same views
 * for (const record of chain.sampleRecords({ ...keys, imageSize: 64 })) console.log(chain.describe(record));
 * ```
 *
 * @see `torchvision.transforms.Compose`
 */
export function compose(transforms: readonly Transform[]): Chain {
  const parts = transforms.flatMap((transform) =>
    'transforms' in transform ? (transform as Chain).transforms : [transform],
  );
  if (parts.length === 0) {
    throw argumentError({
      fn: 'compose',
      argument: 'transforms',
      required: 'hold at least one transform',
      got: transforms,
      shown: 'none',
      advice: 'Pass the transforms of the chain.',
    });
  }
  const members = placeColumns(parts);
  const columns = members.flatMap((member) => member.columns);
  const runs = toRuns(members);
  const stages = runs.length === 1 ? (runs[0]?.stages ?? null) : null;

  const look = firstLook('chain');

  const chain: Chain = {
    name: 'chain',
    transforms: parts,
    columns,
    stages,
    skipped: parts.every((part) => part.skipped !== null)
      ? Object.assign({}, ...members.map((member) => rename(member, member.transform.skipped as Parameters)))
      : null,
    outputSize: (size) => parts.reduce((current, part) => part.outputSize(current), size),
    sample(rng, size) {
      let current = size;
      const records = members.map((member) => {
        const drawn = member.transform.sample(rng, current);
        current = member.transform.outputSize(current);
        return rename(member, drawn);
      });
      return Object.assign({}, ...records);
    },
    makeViews(images, options) {
      checkImages('makeViews', images);
      const [count, height, width] = images.shape;
      checkIndices(options.indices, count);
      return tf.tidy(() => chain.apply(images, chain.sampleTable({ ...options, imageSize: [height, width] })));
    },
    sampleTable(options) {
      const { keys, size } = viewKeys('sampleTable', options);
      const values = new Float32Array(keys.length * columns.length);
      keys.forEach((key, row) => {
        sampleInto(members, values, row * columns.length, imageRng(key), size);
      });
      return rememberOrigin(tf.tensor2d(values, [keys.length, columns.length]), { columns, imageSize: size });
    },
    sampleRecords(options) {
      const { keys, size } = viewKeys('sampleRecords', options);
      const records = keys.map((key) => chain.sample(imageRng(key), size));
      return rememberOrigin(records, { columns, imageSize: size });
    },
    apply(images, parameters) {
      checkImages('chain', images);
      const [count, height, width] = images.shape;
      const rows = rowsOf(parameters);
      checkRows(rows, count);
      checkOrigin(parameters, columns, [height, width]);
      look(images);
      return tf.tidy(() => applyRuns(runs, images, parameterTable('chain', columns, rows, parameters)));
    },
    applyPacked(images, indices, parameters) {
      const rows = rowsOf(parameters);
      checkRows(rows, indices.size);
      checkOrigin(parameters, columns, images.imageSize);
      return tf.tidy(() => applyRunsPacked(runs, images, indices, parameterTable('chain', columns, rows, parameters)));
    },
    toTable: (records) => tf.tensor2d(flatten('chain', columns, records), [records.length, columns.length]),
    describe: (parameters) => describeColumns(columns, parameters),
  };
  return chain;
}

const rowsOf = (parameters: readonly Parameters[] | tf.Tensor2D): number =>
  'dtype' in parameters ? parameters.shape[0] : parameters.length;

const rename = ({ transform, columns }: Member, parameters: Parameters): Parameters =>
  Object.fromEntries(transform.columns.map((column, i) => [columns[i], parameters[column] as number]));

function describeColumns(columns: readonly string[], parameters: Parameters): string {
  const groups = new Map<string, string[]>();
  for (const column of columns) {
    const dot = column.lastIndexOf('.');
    const [label, name] = [column.slice(0, dot), column.slice(dot + 1)];
    const numbers = groups.get(label) ?? [];
    groups.set(label, numbers);
    if (name !== 'applied') numbers.push(`${name} ${Number((parameters[column] as number).toPrecision(4))}`);
  }
  return [...groups]
    .filter(([label]) => parameters[`${label}.applied`] !== 0)
    .map(([label, numbers]) => (numbers.length === 0 ? label : `${label}(${numbers.join(', ')})`))
    .join(' -> ');
}
