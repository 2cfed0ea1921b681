import { type AugmentStage, augmentStageColumns } from '@tfjs-ssl/ops';

export type ImageSize = readonly [height: number, width: number];

/** A stage and the number of its first column in the parameter table. */
export interface PlacedStage<Kind extends AugmentStage['kind'] = AugmentStage['kind']> {
  readonly stage: Extract<AugmentStage, { kind: Kind }>;
  readonly column: number;
}

/** What treats every pixel by itself, but for the contrast of a colour jitter, which needs the mean of the image. */
export type PointKind = 'solarize' | 'colorJitter' | 'grayscale' | 'normalize';

/** What one dispatch does: fetch a pixel of the image before, perhaps from the mirrored column, and change its value. */
export interface Segment {
  readonly from: ImageSize;
  readonly to: ImageSize;
  /** How a pixel is fetched; null: as it is. */
  readonly spatial: PlacedStage<'resizedCrop' | 'gaussianBlur'> | null;
  /** Columns that say whether the image is mirrored. */
  readonly flips: readonly number[];
  readonly points: ReadonlyArray<PlacedStage<PointKind>>;
}

/**
 * Divides a chain into as few dispatches as it needs: one for what comes before the first crop or blur, and one for each of these
 * with all that follows it. A mirror may be taken at the fetch, as nothing after it looks at neighbours. The mean that a contrast needs is
 * that of a whole image, which workgroups of a blur do not see: a jitter after a blur begins a dispatch.
 */
export function planSegments(stages: readonly AugmentStage[], imageSize: ImageSize): Segment[] {
  const segments: Array<Segment & { flips: number[]; points: Array<PlacedStage<PointKind>> }> = [];
  const begin = (from: ImageSize, to: ImageSize, spatial: Segment['spatial']) =>
    segments.push({ from, to, spatial, flips: [], points: [] });
  let size = imageSize;
  let column = 0;
  for (const stage of stages) {
    const placed = { stage, column };
    column += augmentStageColumns[stage.kind].length;
    if (stage.kind === 'resizedCrop' || stage.kind === 'gaussianBlur') {
      const to = stage.kind === 'resizedCrop' ? stage.size : size;
      begin(size, to, placed as PlacedStage<'resizedCrop' | 'gaussianBlur'>);
      size = to;
      continue;
    }
    const afterBlur = segments.at(-1)?.spatial?.stage.kind === 'gaussianBlur';
    if (segments.length === 0 || (stage.kind === 'colorJitter' && afterBlur)) begin(size, size, null);
    const current = segments.at(-1) as (typeof segments)[number];
    if (stage.kind === 'horizontalFlip') current.flips.push(column - 1);
    else current.points.push(placed as PlacedStage<PointKind>);
  }
  if (segments.length === 0) begin(size, size, null);
  return segments;
}
