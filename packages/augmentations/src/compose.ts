import * as tf from '@tensorflow/tfjs-core';
import { augmentImages, augmentPackedImages, hasKernel, type PackedImages, unpackImages } from '@tfjs-ssl/ops';
import { checkImages, checkNumber, type ImageSize, toImageSize } from './check.ts';
import { imageRng } from './image-rng.ts';
import { flatten, type Parameters, parameterTable, type Transform } from './transform.ts';

/** What {@link Chain.sampleTable} draws for. */
export interface SampleTableOptions {
  /** Seed of the run. */
  readonly seed: number | string;
  /** Epoch, an integer. */
  readonly epoch: number;
  /** Indices of the N images in their data set. */
  readonly images: ArrayLike<number>;
  /** Height and width of these images, pixels. */
  readonly imageSize: number | ImageSize;
  /** Views of each image. Default: 2. */
  readonly views?: number;
}

/** Transforms in sequence. It is a transform itself, and one whose parameters also make a table that holds all views of a batch. */
export interface Chain extends Transform {
  /** Its transforms in the order in which they run; chains among them are taken apart. */
  readonly transforms: readonly Transform[];
  /**
   * Draws the numbers of all views of a batch, each from the generator of its own seed, epoch, image and view.
   *
   * @param options - see {@link SampleTableOptions}.
   * @returns a table of views * N rows and `columns.length` columns, row by row: first all of view 0, then all of view 1.
   */
  sampleTable(options: SampleTableOptions): Float32Array;
  /**
   * Makes the views. A function of its two tensors alone: nothing is read back, so it may stand in a captured step.
   *
   * One fused kernel (`AugmentImages`) where the engine has it and every transform is one of this package; transform by transform
   * elsewhere, with the same result.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1]; NaN stays NaN, in its own image.
   * @param parameters - the table as a tensor of shape [V * N, columns], or V * N records; row r belongs to image r mod N.
   * @returns a new tensor of shape [V * N, h, w, C], which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError or TypeError where the shapes do not fit each other or the images are not float32.
   */
  apply(images: tf.Tensor4D, parameters: readonly Parameters[] | tf.Tensor2D): tf.Tensor4D;
  /**
   * Makes the views of images that lie packed in the memory of the engine: {@link Chain.apply} of the images at `indices`, divided by 255.
   *
   * One fused kernel (`AugmentPackedImages`) where the engine has it and every transform is one of this package.
   *
   * @param images - see `PackedImages` of `@tfjs-ssl/ops`; `uploadImages` there makes them.
   * @param indices - positions of the N images, shape [N], int32.
   * @param parameters - as of {@link Chain.apply}.
   * @returns a new tensor of shape [V * N, h, w, 3], which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError where the shapes do not fit each other.
   */
  applyPacked(images: PackedImages, indices: tf.Tensor1D, parameters: readonly Parameters[] | tf.Tensor2D): tf.Tensor4D;
  /** Records as the rows of a table. */
  toTable(records: readonly Parameters[]): Float32Array;
  /** The rows of a table as records. */
  fromTable(table: ArrayLike<number>): Parameters[];
  /** One line that says what the numbers do, for people to read; what is left out is not named. */
  describe(parameters: Parameters): string;
}

/**
 * Puts transforms in sequence.
 *
 * @param transforms - what to run, in this order; chains among them are taken apart.
 * @returns the chain. Its columns are those of its transforms, as `colorJitter.hue`; a second transform of the same name
 * has `colorJitter2.hue`.
 * @throws RangeError where there is no transform.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { compose, randomHorizontalFlip, randomResizedCrop, randomSolarize } from '@tfjs-ssl/augmentations';
 * import { useEngine } from '@tfjs-ssl/engine';
 *
 * await useEngine('auto');
 * const chain = compose([randomResizedCrop({ size: 32 }), randomHorizontalFlip(), randomSolarize({ p: 0.2 })]);
 * const images = tf.randomUniform([2, 64, 64, 3]) as tf.Tensor4D;
 * const rows = chain.sampleTable({ seed: 0, epoch: 0, images: [17, 4], imageSize: 64 });
 * const table = tf.tensor2d(rows, [4, chain.columns.length]);
 * console.log(chain.apply(images, table).shape); // [4, 32, 32, 3]: rows 0 and 2 are the views of image 17
 * console.log(chain.fromTable(rows).map((record) => chain.describe(record)));
 * ```
 *
 * @see `torchvision.transforms.Compose`
 */
export function compose(transforms: readonly Transform[]): Chain {
  const parts = transforms.flatMap((transform) =>
    'transforms' in transform ? (transform as Chain).transforms : [transform],
  );
  if (parts.length === 0) {
    throw new RangeError(
      'compose: transforms must have at least one transform, got none. Pass some, or leave the chain out.',
    );
  }
  const members = placeColumns(parts);
  const columns = members.flatMap((member) => member.columns);
  const stages = parts.some((part) => part.stages === null) ? null : parts.flatMap((part) => part.stages ?? []);

  const sampleInto = (values: Float32Array, offset: number, rng: () => number, size: ImageSize): void => {
    let current = size;
    for (const { transform, begin } of members) {
      const drawn = transform.sample(rng, current);
      transform.columns.forEach((column, i) => {
        values[offset + begin + i] = drawn[column] as number;
      });
      current = transform.outputSize(current);
    }
  };

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
    sampleTable({ seed, epoch, images, imageSize, views = 2 }) {
      checkNumber('sampleTable', 'epoch', epoch, { min: 0, integer: true }, 'Count epochs from 0.');
      checkNumber('sampleTable', 'views', views, { min: 1, integer: true }, 'A contrastive loss needs 2.');
      const size = toImageSize('sampleTable', imageSize);
      const values = new Float32Array(views * images.length * columns.length);
      let offset = 0;
      for (let view = 0; view < views; view++) {
        for (let i = 0; i < images.length; i++, offset += columns.length) {
          sampleInto(values, offset, imageRng({ seed, epoch, image: images[i] as number, view }), size);
        }
      }
      return values;
    },
    apply(images, parameters) {
      checkImages('chain', images);
      const count = images.shape[0];
      const rows = checkRows(count, parameters);
      return tf.tidy(() => {
        const table = parameterTable('chain', columns, rows, parameters);
        if (stages && images.shape[3] === 3 && hasKernel('AugmentImages')) {
          return augmentImages(images, table, stages, { size: chain.outputSize([images.shape[1], images.shape[2]]) });
        }
        const views = rows === count ? images : tf.tile(images, [rows / count, 1, 1, 1]);
        return members.reduce((current, { transform, begin }) => {
          const part = tf.slice(table, [0, begin], [rows, transform.columns.length]);
          return transform.apply(current, part);
        }, views);
      });
    },
    applyPacked(images, indices, parameters) {
      const rows = checkRows(indices.size, parameters);
      return tf.tidy(() => {
        const table = parameterTable('chain', columns, rows, parameters);
        if (stages && hasKernel('AugmentPackedImages')) {
          return augmentPackedImages(images, indices, table, stages, { size: chain.outputSize(images.imageSize) });
        }
        return chain.apply(unpackImages(images, indices), table);
      });
    },
    toTable: (records) => flatten('chain', columns, records),
    fromTable(table) {
      if (table.length % columns.length !== 0) {
        throw new RangeError(
          `chain: a table must have rows of ${columns.length} numbers, got ${table.length} numbers in all. Pass whole rows.`,
        );
      }
      return Array.from({ length: table.length / columns.length }, (_, row) =>
        Object.fromEntries(columns.map((column, i) => [column, table[row * columns.length + i] as number])),
      );
    },
    describe: (parameters) => describeColumns(columns, parameters),
  };
  return chain;
}

/** Number of rows, checked to be some for each of `count` images. */
function checkRows(count: number, parameters: readonly Parameters[] | tf.Tensor2D): number {
  const rows = 'dtype' in parameters ? parameters.shape[0] : parameters.length;
  if (rows % count !== 0 || rows === 0) {
    throw new RangeError(
      `chain: parameters must have a multiple of ${count} rows (one per view of each image), got ${rows}. Sample the table for these images.`,
    );
  }
  return rows;
}

/** A transform in its place in a chain. */
interface Member {
  readonly transform: Transform;
  /** Its name, with a number where another one before it has the same. */
  readonly label: string;
  /** Names of its columns in the chain. */
  readonly columns: readonly string[];
  /** Number of the first of them. */
  readonly begin: number;
}

function placeColumns(transforms: readonly Transform[]): Member[] {
  const seen = new Map<string, number>();
  let begin = 0;
  return transforms.map((transform) => {
    const times = (seen.get(transform.name) ?? 0) + 1;
    seen.set(transform.name, times);
    const label = times === 1 ? transform.name : `${transform.name}${times}`;
    const member = { transform, label, columns: transform.columns.map((column) => `${label}.${column}`), begin };
    begin += transform.columns.length;
    return member;
  });
}

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
