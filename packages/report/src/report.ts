import type { StepRecord } from '@tfjs-ssl/trainer';
import type { Bar } from './charts/bars.ts';

/** A figure of the summary. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** A line below the figure. Default: none. */
  readonly note?: string;
}

/** What an evaluation has given, as fractions. */
export interface Evaluation {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** What guessing gives. */
  readonly chance: number;
}

/** A few images and their views. */
export interface SampleViews {
  /** A PNG, as {@link pictureSheet} makes it: images in the first row, their views in those below. */
  readonly png: Uint8Array;
  readonly caption: string;
}

/** All that a page shows. Texts are texts: what is HTML in them is escaped. */
export interface Report {
  readonly title: string;
  /** How the run ended, for example `'finished'`, or how far it has come. */
  readonly status: string;
  /** The figures at the top. */
  readonly facts: readonly Fact[];
  /** The steps of the run in order, as `metrics.jsonl` has them; `RunFolder.records`. */
  readonly records: readonly StepRecord[];
  readonly stepsPerEpoch: number;
  /** The loss of a model that cannot tell anything apart, to compare with. Default: none. */
  readonly lossOfGuessing?: number;
  /** Labels of the metrics that are drawn, by their names; accuracies, as fractions. Default: none is drawn. */
  readonly accuracies?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly evaluation?: Evaluation;
  /** Default: none. */
  readonly views?: SampleViews;
  /** The resolved configuration, fit for JSON. */
  readonly config: object;
  /** Device and versions. */
  readonly environment: Readonly<Record<string, string>>;
  /** Last line, for example the command that makes the page again. Default: none. */
  readonly footer?: string;
}
