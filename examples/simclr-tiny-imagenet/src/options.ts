import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { UsageError } from './usage-error.ts';

const whole = z.int('must be a whole number');
const count = whole.positive('must be at least 1');

/** Every option, by its name in a JSON config; flags are the same names in kebab case. */
const schema = z.strictObject({
  preset: z.enum(['paper', 'baseline', 'simclr']).default('paper'),
  scale: z.enum(['quick', 'full']).default('quick'),
  precision: z.enum(['float32', 'mixed']).default('float32'),
  engine: z.string().min(1).default('auto'),
  threads: count.optional(),
  requireGpu: z.boolean().default(false),
  data: z.string().min(1).optional(),
  download: z.boolean().default(false),
  cache: z.string().min(1).optional(),
  skipCorrupt: z.boolean().default(false),
  classes: count.min(2, 'must be at least 2, as kNN is to tell them apart').optional(),
  imagesPerClass: count.optional(),
  epochs: count.optional(),
  batchSize: count.min(2, 'must be at least 2 images, so that there are negatives').optional(),
  seed: whole.nonnegative('must be at least 0').default(0),
  checkpointEvery: count.optional(),
  out: z.string().min(1).optional(),
  resume: z.string().min(1).optional(),
  report: z.string().min(1).optional(),
  evaluate: z.string().min(1).optional(),
  normalize: z.boolean().default(false),
  evaluateEvery: count.optional(),
  dryRun: z.boolean().default(false),
  profileStep: z.boolean().default(false),
});

/** The options of one call, checked, with defaults filled in where they do not depend on preset and scale. */
export type Options = z.infer<typeof schema>;

/** Options with the names of those that the caller gave. */
export interface ParsedOptions {
  readonly options: Options;
  readonly given: ReadonlySet<keyof Options>;
}

interface Flag {
  readonly kind: 'text' | 'number' | 'switch';
  readonly value?: string;
  readonly help: string;
}

const flags: Record<keyof Options, Flag> = {
  preset: {
    kind: 'text',
    value: 'paper|baseline|simclr',
    help: 'Recipe: the reproduced paper, its baseline (no solarize, wide head), or the original SimCLR (same as baseline at the quick scale) [default: paper]',
  },
  scale: {
    kind: 'text',
    value: 'quick|full',
    help: 'Size: quick takes minutes on two processor cores; full is the whole experiment [default: quick]',
  },
  precision: { kind: 'text', value: 'float32|mixed', help: 'Arithmetic of a training step [default: float32]' },
  engine: {
    kind: 'text',
    value: 'NAME',
    help: 'Engine: auto, webgpu, tensorflow, simd or cpu [default: auto, the fastest that can run]',
  },
  threads: { kind: 'number', value: 'N', help: "Number of engine threads [default: the machine's processors]" },
  requireGpu: { kind: 'switch', help: 'Stop with an error if the engine does not compute on a GPU' },
  data: {
    kind: 'text',
    value: 'PATH',
    help: 'Tiny ImageNet as a zip or folder, or a folder with one subfolder of images per class [default: TINY_IMAGENET, then data/; otherwise generated images]',
  },
  download: { kind: 'switch', help: 'Download the official Tiny ImageNet zip (248 MB) into data/ if it is missing' },
  cache: {
    kind: 'text',
    value: 'FOLDER',
    help: "Folder for decoded images, which later runs reuse [default: tfjs-ssl in the user's cache folder]",
  },
  skipCorrupt: { kind: 'switch', help: 'Skip images that cannot be decoded and list them, instead of stopping' },
  classes: {
    kind: 'number',
    value: 'N',
    help: 'Number of classes, spread evenly over the sorted list [default: quick 10, full 200]',
  },
  imagesPerClass: { kind: 'number', value: 'N', help: 'Training images per class [default: 500]' },
  epochs: { kind: 'number', value: 'N', help: 'Passes over the training images [default: quick 16, full 50]' },
  batchSize: {
    kind: 'number',
    value: 'N',
    help: 'Images per step; each gives two views [default: quick 32, full 256]',
  },
  seed: { kind: 'number', value: 'N', help: 'Seed for weights, image order and augmentations [default: 0]' },
  checkpointEvery: { kind: 'number', value: 'STEPS', help: 'Steps between checkpoints [default: one per epoch]' },
  out: { kind: 'text', value: 'FOLDER', help: 'Run folder to create [default: runs/PRESET-SCALE-DATE-TIME]' },
  resume: { kind: 'text', value: 'FOLDER', help: 'Run folder to resume, from its last good checkpoint' },
  report: {
    kind: 'text',
    value: 'FOLDER',
    help: 'Run folder to write report.html for, in its current state; trains nothing and takes no other option',
  },
  evaluate: {
    kind: 'text',
    value: 'RUN|FILE',
    help: 'Evaluate the encoder of a finished run or of a safetensors file (torchvision, lightly) on the real classes; trains no encoder',
  },
  normalize: {
    kind: 'switch',
    help: "With --evaluate FILE: normalise images with ImageNet's mean and standard deviation, which torchvision's weights expect",
  },
  evaluateEvery: {
    kind: 'number',
    value: 'EPOCHS',
    help: 'Epochs between evaluations during training (kNN, effective rank, uniformity) [default: only at start and end]',
  },
  dryRun: { kind: 'switch', help: 'Run one step, print its time and memory, and write nothing' },
  profileStep: {
    kind: 'switch',
    help: "Run a few steps on webgpu, print the time of each kernel by the GPU's own clock beside the roofline, and write nothing",
  },
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const optionOf = new Map(Object.keys(flags).map((name) => [kebab(name), name as keyof Options]));

/** The text of `--help`. */
export function helpText(): string {
  const lines = Object.entries(flags).map(([name, flag]): [string, string] => [
    `--${kebab(name)}${flag.value ? ` ${flag.value}` : ''}`,
    flag.help,
  ]);
  lines.push(['--config FILE', 'JSON file with any of these options in camel case; flags override it']);
  lines.push(['--help', 'Show this text']);
  const indent = 26;
  const body = lines.map(([left, right]) => {
    const words = wrap(right, 100 - indent);
    const head = left.length < indent - 3 ? `  ${left}`.padEnd(indent) + words.shift() : `  ${left}`;
    return [head, ...words.map((line) => ' '.repeat(indent) + line)].join('\n');
  });
  return [
    'Trains SimCLR with ResNet-18 on Tiny ImageNet and evaluates the encoder.',
    '',
    'Usage: npm run simclr [-- OPTIONS]',
    '',
    ...body,
    '',
    'A run folder holds report.html, config.json, metrics.jsonl, summary.json, loss.svg, views.png, model.safetensors,',
    'checkpoints/ and event files for TensorBoard.',
    'Ctrl-C finishes the current step, writes a checkpoint and stops.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.',
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if ((lines[last] as string).length + word.length + 1 > width && lines[last]) lines.push(word);
    else lines[last] = lines[last] ? `${lines[last]} ${word}` : word;
  }
  return lines;
}

/**
 * Reads the command line and, where `--config` names one, a JSON file.
 *
 * @returns the options, or `'help'`.
 * @throws UsageError naming the option, what it takes and what came.
 */
export function parseOptions(args: readonly string[]): ParsedOptions | 'help' {
  const settings = Object.fromEntries(
    [...optionOf].map(([flag, name]) => [
      flag,
      { type: flags[name].kind === 'switch' ? 'boolean' : 'string' } as const,
    ]),
  );
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...args],
      options: { ...settings, config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      strict: true,
    }).values as typeof values;
  } catch (error) {
    // the first sentence or, of a value that looks like an option, the advice on the lines below
    const reason = (error as Error).message.split('. ')[0]?.replaceAll('\n', ' ').replace(/\.$/, '');
    throw new UsageError(`${reason}. Run with --help for the list of options.`);
  }
  if (values.help) return 'help';
  const fromFile = values.config === undefined ? {} : readConfig(values.config as string);
  const fromFlags: Record<string, unknown> = {};
  for (const [flag, name] of optionOf) {
    const value = values[flag];
    if (value === undefined) continue;
    fromFlags[name] = flags[name].kind === 'number' ? toNumber(flag, value as string) : value;
  }
  const merged = { ...fromFile, ...fromFlags };
  const checked = schema.safeParse(merged);
  if (!checked.success) throw new UsageError(describeProblems(checked.error, merged));
  const given = new Set(Object.keys(merged) as Array<keyof Options>);
  if (given.has('report') && given.size > 1) {
    const others = [...given].filter((name) => name !== 'report').map((name) => `--${kebab(name)}`);
    throw new UsageError(`--report takes no other option, got ${others.join(', ')}. Leave them out.`);
  }
  checkEvaluate(given);
  return { options: checked.data, given };
}

/** Options that an evaluation takes. */
const ofEvaluation: ReadonlySet<keyof Options> = new Set([
  'evaluate',
  'normalize',
  'scale',
  'engine',
  'threads',
  'requireGpu',
  'data',
  'cache',
  'skipCorrupt',
  'classes',
  'imagesPerClass',
  'seed',
]);

function checkEvaluate(given: ReadonlySet<keyof Options>): void {
  if (!given.has('evaluate')) {
    if (given.has('normalize')) throw new UsageError('--normalize goes with --evaluate FILE alone. Leave it out.');
    return;
  }
  const others = [...given].filter((name) => !ofEvaluation.has(name)).map((name) => `--${kebab(name)}`);
  if (others.length > 0) throw new UsageError(`--evaluate does not take ${others.join(', ')}. Leave them out.`);
}

function readConfig(path: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new Error('it is not a JSON object');
    return content as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`--config ${path} cannot be read: ${(error as Error).message}.`);
  }
}

function toNumber(flag: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new UsageError(`--${flag} takes a number, got '${text}'. Run with --help for the list of options.`);
  }
  return number;
}

function describeProblems(error: z.ZodError, given: Record<string, unknown>): string {
  const lines = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return `the config has no option ${issue.keys.map((key) => `'${key}'`).join(', ')}`;
    const name = String(issue.path[0]);
    return `--${kebab(name)}: ${issue.message.replace(/^Invalid (option|input): /, '')}, got ${JSON.stringify(given[name])}`;
  });
  return `${lines.join('\n')}\nRun with --help for the list of options.`;
}
