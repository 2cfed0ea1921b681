import { showValue } from '@tfjs-ssl/checks';
import { kebab } from './usage-error.ts';

interface Option<Value> {
  readonly kind: 'text' | 'count' | 'fractions' | 'switch' | 'list';
  /** What stands for the value in `--help`. */
  readonly value?: string;
  readonly help: string;
  readonly default: Value;
  parse(text: string): unknown;
}

const asIs = (text: string): unknown => text;

/** A number; a text that is none stays one, for the message. */
const toNumber = (given: string): number | string =>
  given.trim() === '' || Number.isNaN(Number(given)) ? given : Number(given);

const text = (value: string, help: string): Option<string | undefined> => ({
  ...{ kind: 'text', value, help, default: undefined },
  parse: asIs,
});
const count = (value: string, help: string): Option<number | undefined> => ({
  ...{ kind: 'count', value, help, default: undefined },
  parse: toNumber,
});
const toggle = (help: string): Option<boolean> => ({ kind: 'switch', help, default: false, parse: asIs });

/** What decides how a run is made, and not its numbers. Flags are the same names in kebab case. */
export const options = {
  engine: {
    ...text('NAME', 'Engine: auto, webgpu, tensorflow, simd or cpu [default: auto, the fastest that can run]'),
    default: 'auto',
  } as Option<string>,
  threads: count(
    'N',
    "Number of engine threads [default: the machine's processors, divided by its ranks under mpiexec]",
  ),
  requireGpu: toggle('Stop with an error if the engine does not compute on a GPU'),
  data: text(
    'PATH',
    'Tiny ImageNet as a zip or folder, or a folder with one subfolder of images per class [default: TINY_IMAGENET, then data/; otherwise generated images]',
  ),
  download: toggle('Download the official Tiny ImageNet zip (248 MB) into data/ if it is missing'),
  cache: text(
    'FOLDER',
    "Folder for decoded images, which later runs reuse [default: tfjs-ssl in the user's cache folder]",
  ),
  skipCorrupt: toggle('Skip images that cannot be decoded and list them, instead of stopping'),
  checkpointEvery: count('STEPS', 'Steps between checkpoints [default: one per epoch]'),
  out: text('FOLDER', 'Run folder to create [default: runs/PRESET-SCALE-DATE-TIME]'),
  resume: text('FOLDER', 'Run folder to resume, from its last good checkpoint'),
  continue: toggle(
    'With --out: resume the run in this folder if there is one, otherwise start it; for schedulers, which give the same command again',
  ),
  init: text('RUN|FILE', "Start a new run from another run's weights, or from an encoder in a safetensors file"),
  report: text(
    'FOLDER',
    'Run folder to write report.html for, in its current state; trains nothing and takes no other option',
  ),
  evaluate: text(
    'RUN|FILE',
    'Evaluate the encoder of a finished run or of a safetensors file (torchvision, lightly) on the real classes; trains no encoder',
  ),
  normalize: toggle(
    "With --evaluate FILE: normalise images with ImageNet's mean and standard deviation, which torchvision's weights expect",
  ),
  sgdProbe: toggle(
    'With --evaluate: also train the linear probe by SGD for 90 epochs, as most papers do, beside the optimum over penalties',
  ),
  fineTune: {
    kind: 'fractions',
    value: 'FRACTION',
    help: 'With --evaluate: also train the whole encoder with a linear classifier on this share of the labels, beside one from random weights; several with commas: 0.01,0.1,1',
    default: undefined,
    parse: (given) => given.split(',').map(toNumber),
  } as Option<readonly number[] | undefined>,
  fineTuneEpochs: count(
    'EPOCHS',
    'With --fine-tune: epochs [default: 30, or more with few labels, until there are 400 steps]',
  ),
  fineTuneSeeds: count(
    'N',
    'With --fine-tune: how often, each time with other labels, first weights and order [default: 3]',
  ),
  evaluateEvery: count(
    'EPOCHS',
    'Epochs between evaluations during training (kNN, effective rank, uniformity) [default: only at start and end]',
  ),
  compare: {
    kind: 'list',
    value: 'RUN...',
    help: 'Print runs side by side: settings that differ, losses of epochs, kNN; takes no other option',
    default: undefined,
    parse: asIs,
  } as Option<readonly string[] | undefined>,
  dryRun: toggle('Run one step, print its time and memory, and write nothing'),
  profileStep: toggle(
    "Run a few steps on webgpu, print the time of each kernel by the GPU's own clock beside the roofline, and write nothing",
  ),
};

/** The options of one call. */
export type Options = {
  readonly [Name in OptionName]: (typeof options)[Name] extends Option<infer Value> ? Value : never;
};

export type OptionName = keyof typeof options;

/** What is wrong with the value of an option; null if nothing is. */
export function optionProblem(name: OptionName, value: unknown): string | null {
  const isText = (each: unknown) => typeof each === 'string' && each !== '';
  const isShare = (each: unknown) => typeof each === 'number' && each > 0 && each <= 1;
  const [good, must] = {
    text: [isText(value), 'a text that is not empty'],
    list: [Array.isArray(value) && value.every(isText), 'a list of texts'],
    fractions: [Array.isArray(value) && value.length > 0 && value.every(isShare), 'numbers above 0 and at most 1'],
    count: [Number.isInteger(value) && (value as number) >= 1, 'an integer of at least 1'],
    switch: [typeof value === 'boolean', 'true or false'],
  }[options[name].kind] as [boolean, string];
  return good ? null : `--${kebab(name)} must be ${must}, got ${showValue(value)}.`;
}
