import { checkNumber } from '@tfjs-ssl/checks';
import type { StepRecord } from '@tfjs-ssl/trainer';
import { curvesChart } from './charts/curves.ts';
import { renderFile } from './charts/render.ts';
import { epochMeans } from './epochs.ts';
import { lossOver } from './over-epochs.ts';

/** Options of {@link lossCurve}. */
export interface LossCurveOptions {
  /** The steps of one epoch: the horizontal axis counts epochs. */
  readonly stepsPerEpoch: number;
  /** Heading. Default: `'Training loss'`. */
  readonly title?: string;
  /** Width in pixels, at least 200. Default: 800. */
  readonly width?: number;
  /** Height in pixels, at least 150. Default: 450. */
  readonly height?: number;
}

/**
 * Draws the training loss as a picture of its own: single steps light, their running mean as a line, the means of epochs as dots.
 *
 * @param records - the steps of the run in order, as `metrics.jsonl` has them; `RunFolder.records`. A loss that is not finite is left out.
 * @param options - see {@link LossCurveOptions}.
 * @returns an SVG document on white.
 * @throws RangeError if `stepsPerEpoch` is not a positive integer, or a size is too small.
 * @example
 * ```ts
 * import { writeFileSync } from 'node:fs';
 * import { lossCurve } from '@tfjs-ssl/report';
 *
 * const seconds = { load: 0, prepare: 0.01, step: 0.1 };
 * const records = Array.from({ length: 40 }, (_, step) => ({
 *   step,
 *   epoch: Math.floor(step / 10),
 *   loss: 4 / (1 + step / 20),
 *   metrics: {},
 *   learningRate: 0.001,
 *   seconds,
 *   imagesPerSecond: 290,
 * }));
 * writeFileSync('loss.svg', await lossCurve(records, { stepsPerEpoch: 10 }));
 * ```
 */
export async function lossCurve(records: readonly StepRecord[], options: LossCurveOptions): Promise<string> {
  const { stepsPerEpoch, title = 'Training loss', width = 800, height = 450 } = options;
  checkNumber('lossCurve', 'stepsPerEpoch', stepsPerEpoch, { min: 1, integer: true }, 'Pass the steps of one epoch.');
  checkNumber('lossCurve', 'width', width, { min: 200 }, 'Pass a greater one.');
  checkNumber('lossCurve', 'height', height, { min: 150 }, 'Pass a greater one.');
  const finite = records.filter(({ loss }) => Number.isFinite(loss));
  const loss = lossOver(epochMeans(finite), { records: finite, stepsPerEpoch });
  const size = { width, height };
  return renderFile(curvesChart([loss], size, { format: '~r' }), size, title);
}
