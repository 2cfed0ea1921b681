import type { StepRecord } from '@tfjs-ssl/trainer';

/** The values of one training step, accuracies as fractions. */
export interface StepValues {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  readonly learningRate: number;
}

/** The values of a record of `metrics.jsonl`, or of an epoch's means. */
export function toValues({
  step,
  epoch,
  loss,
  metrics,
  learningRate,
}: Pick<StepRecord<'top1' | 'top5'>, 'step' | 'epoch' | 'loss' | 'metrics' | 'learningRate'>): StepValues {
  return { step, epoch, loss, top1: metrics.top1, top5: metrics.top5, learningRate };
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)}%`;

/**
 * A step as the paper prints it, for example
 * `[Epoch 50] Step 19400: Loss=1.5610, Top1=72.46%, Top5=83.98%, LR=0.000293`.
 *
 * @param values - epoch counts from 0 (printed from 1), step from 0 over the whole run.
 */
export function paperLine(values: StepValues): string {
  return `[Epoch ${values.epoch + 1}] Step ${values.step}: ${paperValues(values)}, LR=${values.learningRate.toFixed(6)}`;
}

/** The means of an epoch in the same form, labelled as such. */
export function epochLine(values: Omit<StepValues, 'step'>, imagesPerSecond: number, skippedSteps = 0): string {
  const skipped = skippedSteps > 0 ? `, ${skippedSteps} steps skipped (overflow)` : '';
  return `[Epoch ${values.epoch + 1}] mean: ${paperValues(values)}, LR=${values.learningRate.toFixed(6)}, ${formatRate(imagesPerSecond)}${skipped}`;
}

function paperValues({ loss, top1, top5 }: { loss: number; top1: number; top5: number }): string {
  return `Loss=${loss.toFixed(4)}, Top1=${percent(top1)}, Top5=${percent(top5)}`;
}

/** Images per second for people. */
export function formatRate(imagesPerSecond: number): string {
  return `${imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : Math.round(imagesPerSecond).toLocaleString('en')} images/s`;
}

/** A duration for people: `42 s`, `3:07 min`, `2:05 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pair = (big: number, small: number) => `${big}:${String(small).padStart(2, '0')}`;
  if (whole < 3600) return `${pair(Math.floor(whole / 60), whole % 60)} min`;
  return `${pair(Math.floor(whole / 3600), Math.floor((whole % 3600) / 60))} h`;
}

/** A stream that may be a terminal. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const barWidth = 20;

/**
 * The live line of a run: on a terminal one line redrawn in place, elsewhere nothing but the lines that are printed.
 *
 * The time left is the steps left times the mean time of the last steps; it is not shown before there are enough of them.
 */
export class ProgressBar {
  readonly #output: Output;
  readonly #totalSteps: number;
  readonly #batchSize: number;
  readonly #recent: number[] = [];
  #lastDrawn = 0;
  #shown = false;

  constructor(output: Output, totalSteps: number, batchSize: number) {
    this.#output = output;
    this.#totalSteps = totalSteps;
    this.#batchSize = batchSize;
  }

  /** Redraws the line after a step; `now` in milliseconds. */
  update(values: StepValues, now: number = performance.now()): void {
    this.#recent.push(now);
    if (this.#recent.length > 50) this.#recent.shift();
    const done = values.step + 1;
    if (!this.#output.isTTY || (now - this.#lastDrawn < 100 && done < this.#totalSteps)) return;
    this.#lastDrawn = now;
    this.#output.write(`\r${this.#line(values, done)}\x1b[K`);
    this.#shown = true;
  }

  /** Prints a line of text; on a terminal above the bar. */
  print(line: string): void {
    this.clear();
    this.#output.write(`${line}\n`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#shown) this.#output.write('\r\x1b[K');
    this.#shown = false;
  }

  /** The parts of the line that the terminal has room for: what matters least goes first. */
  #line(values: StepValues, done: number): string {
    const filled = Math.round((barWidth * done) / this.#totalSteps);
    const elapsed = (this.#recent.at(-1) as number) - (this.#recent[0] as number);
    const perStep = elapsed / 1000 / (this.#recent.length - 1);
    const pace =
      this.#recent.length > 5
        ? [
            { weight: 4, text: formatRate(this.#batchSize / perStep) },
            { weight: 7, text: `${formatDuration((this.#totalSteps - done) * perStep)} left` },
          ]
        : [];
    let parts = [
      { weight: 1, text: '█'.repeat(filled) + '░'.repeat(barWidth - filled) },
      { weight: 9, text: `${Math.floor((100 * done) / this.#totalSteps)}%`.padStart(3) },
      { weight: 5, text: `epoch ${values.epoch + 1}` },
      { weight: 8, text: `loss ${values.loss.toFixed(3)}` },
      { weight: 6, text: `top-1 ${percent(values.top1)}` },
      { weight: 3, text: `top-5 ${percent(values.top5)}` },
      { weight: 2, text: `lr ${values.learningRate.toPrecision(3)}` },
      ...pace,
    ];
    const room = (this.#output.columns ?? 120) - 1;
    const join = () => parts.map(({ text }) => text).join('  ');
    while (parts.length > 1 && join().length > room) {
      const least = Math.min(...parts.map(({ weight }) => weight));
      parts = parts.filter(({ weight }) => weight > least);
    }
    return join().slice(0, room);
  }
}
