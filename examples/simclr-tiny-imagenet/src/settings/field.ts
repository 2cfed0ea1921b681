import { describeRule, type NumberRule, obeys } from '@tfjs-ssl/checks';

/** The recipes, see the README. */
export const presets = ['paper', 'baseline', 'simclr', 'recommended'] as const;
export type Preset = (typeof presets)[number];

/** The sizes of a run. */
export const scales = ['quick', 'full'] as const;
export type Scale = (typeof scales)[number];

/** Defaults of a setting: `default` is the paper's, the others where they differ from it. */
interface Defaults<Value> {
  readonly default: Value;
  readonly baseline?: Value;
  /** Default: the baseline's. */
  readonly simclr?: Value;
  /** Of the preset `recommended`, at both scales. Default: the paper's. */
  readonly recommended?: Value;
  /** At the quick scale, for all presets but `recommended` where it has its own. Default: those of the full scale. */
  readonly quick?: Value;
}

/** What is common to all kinds of settings. */
export interface About<Value> extends Defaults<Value> {
  /** One line for `--help`: what the setting is. */
  readonly help: string;
  /** For example `pixels`. Default: none. */
  readonly unit?: string;
}

/** A setting or an option: what it takes, its defaults, and how it is read. */
export interface Field<Value> {
  readonly help: string;
  readonly defaults: Defaults<Value>;
  /** What it takes, for example `number in [0, 1]`. */
  readonly takes: string;
  /** The values, if there are few. */
  readonly choices?: readonly string[];
  /** Whether a value is one of it. */
  accepts(value: unknown): boolean;
  /** The value that a text stands for; the text itself if it stands for none. */
  parse(text: string): unknown;
}

/** The default of a field for a preset at a scale. */
export function defaultOf<Value>({ defaults }: Field<Value>, preset: Preset, scale: Scale): Value {
  const { default: paper, quick, baseline = paper, simclr = baseline, recommended } = defaults;
  if (preset === 'recommended' && recommended !== undefined) return recommended;
  if (scale === 'quick' && quick !== undefined) return quick;
  return { paper, baseline, simclr, recommended: paper }[preset];
}

/** A number within bounds. */
export function number({ rule, ...about }: About<number> & { readonly rule: NumberRule }): Field<number> {
  return {
    ...common(about),
    takes: described(rule, about.unit),
    accepts: (value) => obeys(value, rule),
    parse: toNumber,
  };
}

/** Two numbers within bounds, in ascending order. */
export function interval(about: About<readonly [number, number]> & { readonly rule: NumberRule }) {
  const { rule, ...rest } = about;
  const field: Field<readonly [number, number]> = {
    ...common(rest),
    takes: `LOW,HIGH in ascending order, each a ${described(rule, about.unit)}`,
    accepts(value) {
      if (!Array.isArray(value) || value.length !== 2 || !value.every((each) => obeys(each, rule))) return false;
      const [low, high] = value as [number, number];
      return low <= high;
    },
    parse: toNumbers,
  };
  return field;
}

/** Any number of numbers within bounds. */
export function numbers(about: About<readonly number[]> & { readonly rule: NumberRule }): Field<readonly number[]> {
  const { rule, ...rest } = about;
  return {
    ...common(rest),
    takes: `list N,N,... (or [] for none), each an ${described(rule, about.unit)}`,
    accepts: (value) => Array.isArray(value) && value.every((each) => obeys(each, rule)),
    parse: toNumbers,
  };
}

/** One of a few texts. */
export function choice<const Choice extends string>(
  choices: readonly Choice[],
  about: About<NoInfer<Choice>>,
): Field<Choice> {
  return {
    ...common(about),
    takes: choices.join('|'),
    choices,
    accepts: (value) => choices.includes(value as Choice),
    parse: (text) => text,
  };
}

function common<Value>({ help, unit: _, ...defaults }: About<Value>) {
  return { help, defaults };
}

/** A rule without its article, with the unit: `integer of at least 1 (pixels)`. */
function described(rule: NumberRule, unit?: string): string {
  const words = describeRule(rule).replace(/^an? (finite )?/, '');
  return unit === undefined ? words : `${words} (${unit})`;
}

function toNumber(text: string): unknown {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

function toNumbers(text: string): unknown {
  const inner = text.trim().replace(/^\[(.*)\]$/, '$1');
  return inner.trim() === '' ? [] : inner.split(',').map(toNumber);
}
