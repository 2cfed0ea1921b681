import type { Choices } from './float64-resnet.ts';

/** How far a rectifier's input may lie from zero for two implementations to disagree about its sign: many times what rounding moves it. */
export const ROUNDING = 1e-4;

/** An engine's choices, with those that float64 would have made otherwise. */
export interface FollowedChoices extends Required<Choices> {
  /** Layers, and what the input of the rectifier is in float64. */
  readonly flips: ReadonlyArray<{ readonly layer: string; readonly value: number }>;
}

/** How float64 chooses. */
export const ownChoices: Choices = { passes: (_layer, _index, value) => value > 0 };

/**
 * Follows an engine's rectifiers.
 *
 * The gradient of a rectifier jumps at zero: two right implementations part by percents where an input lies nearer to zero than rounding
 * moves it. So an engine is held to float64 with its own choices, and its choices to float64's wherever rounding leaves no doubt.
 *
 * @param rectified - what came out of each rectifier on the engine.
 */
export function followChoices(rectified: Readonly<Record<string, ArrayLike<number>>>): FollowedChoices {
  const flips: Array<{ layer: string; value: number }> = [];
  return {
    flips,
    passes: (layer, index, value) => {
      const passes = (rectified[layer]?.[index] as number) > 0;
      if (passes !== value > 0) flips.push({ layer, value });
      return passes;
    },
    poolValue: (index) => rectified.bn1?.[index] as number,
  };
}

/** Names flips with the distance of each from zero. */
export const tellFlips = (flips: FollowedChoices['flips']): string =>
  flips.map(({ layer, value }) => `${layer} at ${value.toExponential(1)}`).join(', ');

/** The greatest distance of a flip from zero. */
export const farthest = (flips: FollowedChoices['flips']): number =>
  flips.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
