import { firstAndLastTenth, type StepRecord } from '@tfjs-ssl/trainer';
import type { FullEvaluation } from './evaluate.ts';
import type { FineTuned } from './fine-tune-arms.ts';
import { formatDuration } from './progress.ts';
import type { Settings } from './settings/table.ts';

/** Means over the first and the last tenth of the steps. */
interface Tenths {
  readonly first: number;
  readonly last: number;
}

/** The content of `summary.json`; accuracies and kNN are fractions. */
export interface Summary {
  readonly engine: string;
  readonly device: string;
  readonly data: 'tiny-imagenet' | 'folder' | 'generated';
  /** Seconds of the call that finished the run, including evaluation, plus the training steps of earlier calls. */
  readonly seconds: number;
  readonly steps: number;
  readonly loss: Tenths;
  readonly top1: Tenths;
  readonly top5: Tenths;
  /** Number of parameters. */
  readonly parameters: { readonly encoder: number; readonly head: number };
  /** kNN accuracy on the features of the untrained and of the trained encoder. */
  readonly knn: { readonly before: number; readonly after: number };
}

/** The summary of an unfinished run. */
export type PartialSummary = Partial<Omit<Summary, 'knn'>> & {
  readonly knn?: Partial<Summary['knn']>;
  /** Added by `--evaluate`. */
  readonly evaluation?: FullEvaluation;
  /** Added by `--fine-tune`, in ascending order of the fractions. */
  readonly fineTuning?: readonly FineTuned[];
};

/** Seconds that steps have taken. */
export const trainingSeconds = (records: readonly StepRecord[]): number =>
  records.reduce((sum, { seconds: { load, prepare, step } }) => sum + load + prepare + step, 0);

/** The summary of a run whose last step is done. */
export function summarize(
  records: readonly StepRecord[],
  about: Pick<Summary, 'engine' | 'device' | 'data' | 'seconds' | 'parameters' | 'knn'>,
): Summary {
  const { engine, device, data, seconds, parameters, knn } = about;
  const tenths = (value: (record: StepRecord) => number) => firstAndLastTenth(records.map(value));
  return {
    engine,
    device,
    data,
    seconds: Math.round(seconds * 10) / 10,
    steps: records.length,
    loss: tenths(({ loss }) => loss),
    top1: tenths(({ metrics }) => metrics.top1 as number),
    top5: tenths(({ metrics }) => metrics.top5 as number),
    parameters,
    knn,
  };
}

/** The lines that close a run. */
export function resultLines(
  summary: Summary,
  settings: Settings,
  { classes, neighbours, folder }: { classes: number; neighbours: number; folder: string },
): string[] {
  const { loss, top1, top5, knn } = summary;
  const percent = (fraction: number) => `${(100 * fraction).toFixed(1)}%`.padStart(6);
  const row = (label: string, first: string, last: string) => `  ${label.padEnd(22)}${first}  ->  ${last}`;
  return [
    `Trained ${summary.steps.toLocaleString('en')} steps in ${formatDuration(summary.seconds)}. Means over the first and the last tenth of the steps:`,
    row('loss', loss.first.toFixed(3).padStart(6), loss.last.toFixed(3).padStart(6)),
    row('pretext top-1', percent(top1.first), percent(top1.last)),
    row('pretext top-5', percent(top5.first), percent(top5.last)),
    `Nearest neighbours (k = ${neighbours}, chance ${(100 / classes).toFixed(1)}%), untrained and trained encoder:`,
    row('kNN', percent(knn.before), percent(knn.after)),
    `Saved in ${folder}: report.html (open it in a browser), summary.json, metrics.jsonl, model.safetensors (the encoder; PyTorch reads it too).`,
    ...(settings.scale === 'quick'
      ? [
          `To run the paper's own settings (about five and a half hours on two recent cores): npm run simclr -- --scale full${settings.preset === 'paper' ? '' : ` --preset ${settings.preset}`}`,
        ]
      : []),
  ];
}
