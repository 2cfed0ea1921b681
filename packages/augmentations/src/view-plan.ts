import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { PackedImages } from '@tfjs-ssl/ops';
import { checkImages, type ImageSize, toImageSize } from './check.ts';
import { checkChains, checkOneSize } from './check-chains.ts';
import { type Chain, compose } from './compose.ts';
import { imageRng } from './image-rng.ts';
import { sampleInto, writeNumbers } from './members.ts';
import { type MergedView, mergeChains } from './merge-chains.ts';
import { checkOrigin, rememberOrigin } from './table-origin.ts';
import type { Parameters } from './transform.ts';
import { checkIndices, type SampleOptions, type ViewOptions, viewKeys } from './view-keys.ts';

/** One chain for each view, or several groups of them by name. */
export type ViewChains = readonly Chain[] | Readonly<Record<string, readonly Chain[]>>;

/** Something for each tensor of views: one for a list of chains, or one by the name of each group. */
export type PerGroup<Chains, Value> = Chains extends readonly unknown[]
  ? Value
  : { readonly [Name in keyof Chains]: Value };

/** Which chain makes which view, and which views are one tensor. */
export interface ViewPlan<Chains extends ViewChains = ViewChains> {
  /** Views of each image, V, those of all groups together. */
  readonly views: number;
  /** Columns of the table: those of the group that has most. */
  readonly tableColumns: number;
  /**
   * Height and width of the views of each group.
   *
   * @param imageSize - height and width of the images, pixels.
   * @throws RangeError if the chains of a group lead to different sizes.
   */
  outputSize(imageSize: number | ImageSize): PerGroup<Chains, ImageSize>;
  /**
   * Draws the numbers of all views of a batch, as {@link Chain.sampleTable} does: view v of image i from the generator of (seed, epoch, i, v).
   * Views are counted through all groups.
   *
   * @param options - see {@link SampleOptions}.
   * @returns the table, shape [V * N, tableColumns], float32, view after view. The caller (or the surrounding `tf.tidy`) disposes it.
   * @throws RangeError if a number is not of the kind described, or the chains of a group lead to different sizes.
   */
  sampleTable(options: Omit<SampleOptions, 'views'>): tf.Tensor2D;
  /**
   * Makes the views, inside a step: see {@link Chain.apply}.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1].
   * @param table - what {@link ViewPlan.sampleTable} gave.
   * @returns for each group a new tensor of shape [views * N, h, w, C], view after view, which the caller (or the surrounding `tf.tidy`) disposes.
   * @throws RangeError or TypeError as {@link Chain.apply}.
   */
  apply(images: tf.Tensor4D, table: tf.Tensor2D): PerGroup<Chains, tf.Tensor4D>;
  /**
   * Makes the views of images that lie packed in the engine's memory: see {@link Chain.applyPacked}.
   *
   * @param images - see `PackedImages` of `@tfjs-ssl/ops`.
   * @param indices - positions of the N images, shape [N], int32.
   * @param table - as of {@link ViewPlan.apply}.
   * @returns as {@link ViewPlan.apply}.
   * @throws RangeError as {@link Chain.applyPacked}.
   */
  applyPacked(images: PackedImages, indices: tf.Tensor1D, table: tf.Tensor2D): PerGroup<Chains, tf.Tensor4D>;
  /**
   * Makes views in one call: {@link ViewPlan.sampleTable} and {@link ViewPlan.apply}.
   *
   * @param images - shape [N, H, W, C], float32 in [0, 1].
   * @param options - see {@link ViewOptions}.
   * @returns as {@link ViewPlan.apply}.
   * @throws RangeError if there is not one index for each image; RangeError or TypeError if the images are not float32.
   */
  makeViews(images: tf.Tensor4D, options: Omit<ViewOptions, 'views'>): PerGroup<Chains, tf.Tensor4D>;
}

/** Neighbouring views that are made together. */
interface Part {
  readonly chain: Chain;
  readonly views: readonly MergedView[];
  /** Number of its first view. */
  readonly first: number;
}

/**
 * Plans views that differ: a chain of its own for each view (BYOL), or groups of views of different sizes (the crops of SwAV and DINO).
 *
 * All views of a batch have one table of numbers, and the views of a group are one tensor. On engines with fused kernels, a group is made by one of
 * them, even if some of its chains lack transforms that others have. Groups with crops to one size that differ in other respects (`antialias`)
 * take several. A view is what its chain makes alone of the same seed, epoch, image and view, bit for bit.
 *
 * @param chains - one chain for each view, or groups of them by name; the chains of a group lead to one size. {@link byolChains},
 * {@link swavChains} and {@link dinoChains} return those of their papers.
 * @returns the plan.
 * @throws RangeError if there is no chain, in all or in a group; TypeError if something is not a chain.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { simclrChain, viewPlan } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const [large, small] = [simclrChain({ size: 64 }), simclrChain({ size: 32, cropScale: [0.05, 0.14] })];
 * const plan = viewPlan({ large: [large, large], small: [small, small, small] });
 * const images = tf.randomUniform<tf.Rank.R4>([4, 96, 96, 3]);
 * const views = plan.makeViews(images, { seed: 0, epoch: 0, indices: [17, 4, 9, 1] });
 * console.log(views.large.shape, views.small.shape); // [8, 64, 64, 3], [12, 32, 32, 3]
 * ```
 *
 * @see Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", section 3.2, for crops of several sizes;
 * Grill et al. 2020, "Bootstrap Your Own Latent", appendix B, for chains that differ.
 */
export function viewPlan<const Chains extends ViewChains>(chains: Chains): ViewPlan<Chains> {
  const named: Readonly<Record<string, readonly Chain[]>> = Array.isArray(chains) ? { '': chains } : (chains as never);
  checkChains('viewPlan', named);
  let first = 0;
  const groups = Object.entries(named).map(([name, own]) => {
    const parts: Part[] = mergeChains(own).map(({ transforms, views }) => {
      const part = { chain: compose(transforms), views, first };
      first += views.length;
      return part;
    });
    return { name, own, parts };
  });
  const parts = groups.flatMap((group) => group.parts);
  const columns = parts.flatMap(({ chain }) => chain.columns);
  const tableColumns = Math.max(...parts.map(({ chain }) => chain.columns.length));
  const views = first;

  const perGroup = <Value>(make: (group: (typeof groups)[number]) => Value): PerGroup<Chains, Value> => {
    const made = groups.map((group) => [group.name, make(group)] as const);
    return (Array.isArray(chains) ? made[0]?.[1] : Object.fromEntries(made)) as PerGroup<Chains, Value>;
  };
  const outputSize = (size: ImageSize) => perGroup(({ name, own }) => checkOneSize('viewPlan', name, own, size));

  /** The views of every part out of its share of the table; those of a group as one tensor. */
  const make = (table: tf.Tensor2D, images: number, run: (chain: Chain, rows: tf.Tensor2D) => tf.Tensor4D) => {
    if (table.shape[0] !== views * images || table.shape[1] !== tableColumns) {
      throw argumentError({
        fn: 'viewPlan',
        argument: 'table',
        required: `have shape [${views * images}, ${tableColumns}], ${views} rows per image`,
        got: table.shape,
        advice: 'Sample it with this plan for these images.',
      });
    }
    return tf.tidy(
      () =>
        perGroup((group) => {
          const made = group.parts.map(({ chain, ...part }) =>
            run(chain, shareOf(table, part.first * images, part.views.length * images, chain.columns.length)),
          );
          return made.length === 1 ? (made[0] as tf.Tensor4D) : tf.concat(made, 0);
        }) as tf.TensorContainer,
    ) as PerGroup<Chains, tf.Tensor4D>;
  };

  const plan: ViewPlan<Chains> = {
    views,
    tableColumns,
    outputSize: (imageSize) => outputSize(toImageSize('viewPlan', 'imageSize', imageSize)),
    sampleTable(options) {
      const { keys, size } = viewKeys('sampleTable', { ...options, views });
      outputSize(size);
      const values = new Float32Array(keys.length * tableColumns);
      const images = keys.length / views;
      for (const part of parts) {
        for (const [i, { members, skipped }] of part.views.entries()) {
          const begin = (part.first + i) * images;
          for (let row = begin; row < begin + images; row++) {
            const offset = row * tableColumns;
            for (const member of skipped) {
              writeNumbers(values, offset + member.begin, member.transform, member.transform.skipped as Parameters);
            }
            sampleInto(members, values, offset, imageRng(keys[row] as (typeof keys)[number]), size);
          }
        }
      }
      return rememberOrigin(tf.tensor2d(values, [keys.length, tableColumns]), { columns, imageSize: size });
    },
    apply(images, table) {
      checkImages('viewPlan', images);
      const [count, height, width] = images.shape;
      checkOrigin(table, columns, [height, width]);
      return make(table, count, (chain, rows) => chain.apply(images, rows));
    },
    applyPacked(images, indices, table) {
      checkOrigin(table, columns, images.imageSize);
      return make(table, indices.size, (chain, rows) => chain.applyPacked(images, indices, rows));
    },
    makeViews(images, options) {
      checkImages('makeViews', images);
      const [count, height, width] = images.shape;
      checkIndices(options.indices, count);
      const table = plan.sampleTable({ ...options, imageSize: [height, width] });
      try {
        return plan.apply(images, table);
      } finally {
        table.dispose();
      }
    },
  };
  return plan;
}

const shareOf = (table: tf.Tensor2D, row: number, rows: number, columns: number): tf.Tensor2D =>
  table.shape[0] === rows && table.shape[1] === columns ? table : tf.slice(table, [row, 0], [rows, columns]);
