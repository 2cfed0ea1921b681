import type { FeedImages, FitEvent, TypedModel } from '@tfjs-ssl/all';

/** What every method is given. */
export interface Run {
  readonly images: FeedImages;
  /** Side of images and views, pixels. */
  readonly size: number;
  /** Images of a step; each is seen in two views at least. */
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  /** Called, and awaited, with every event of the training. */
  readonly onEvent: (event: FitEvent) => void | Promise<void>;
}

/** Trains an encoder without labels (but `supcon`) and returns it. */
export type Train = (run: Run) => Promise<TypedModel>;
