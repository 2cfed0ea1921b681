import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { showValue } from '@tfjs-ssl/checks';
import { didYouMean, unknownSetting } from '../settings/check.ts';
import { isTree } from '../settings/earlier.ts';
import { fields, flatten, type SettingName } from '../settings/table.ts';
import { UsageError } from '../usage-error.ts';

/** Settings by dotted names. */
type Flat = Readonly<Record<string, unknown>>;

/** A study as its file describes it, checked. */
export interface StudyFile {
  /** Its name, from that of the file. */
  readonly name: string;
  readonly title: string;
  /** What all runs have in common. */
  readonly settings: Flat;
  /** More of these at a scale. */
  readonly quick: Flat;
  readonly full: Flat;
  /** The settings of each level of each factor; the first level is the reference. */
  readonly factors: Readonly<Record<string, ReadonlyMap<string, Flat>>>;
  /** `grid`: all combinations. `one at a time`: the reference, and each other level alone. */
  readonly design: 'grid' | 'one at a time';
  /** Further cells of the design `one at a time`: the levels that differ from the reference. */
  readonly together: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly seeds: readonly number[];
  /** Whether each encoder is evaluated in full (`--evaluate`), for the linear probe. */
  readonly evaluate: boolean;
}

const known = ['title', 'settings', 'quick', 'full', 'factors', 'design', 'together', 'seeds', 'evaluate'];

/** The studies that come with the example. */
const ownStudies = fileURLToPath(new URL('../../studies/', import.meta.url));

/**
 * Reads a study.
 *
 * @param path - a JSON file, or the name of a study that comes with the example.
 * @throws UsageError if it cannot be read, or something in it is not known or wrong.
 */
export function readStudy(path: string): StudyFile {
  const own = join(ownStudies, `${path}.json`);
  const file = !existsSync(path) && existsSync(own) ? own : path;
  const wrong = (what: string) => new UsageError(`${file}: ${what}`);
  const content = parse(file);
  const stranger = Object.keys(content).find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw wrong(`a study has no ${showValue(stranger)}.${didYouMean(stranger, known)} It has ${known.join(', ')}.`);
  }
  const { title = basename(file, '.json'), design = 'grid', seeds, evaluate = false, together = {} } = content;
  if (typeof title !== 'string') throw wrong(`title must be a text, got ${showValue(title)}.`);
  if (typeof evaluate !== 'boolean') throw wrong(`evaluate must be true or false, got ${showValue(evaluate)}.`);
  if (design !== 'grid' && design !== 'one at a time') {
    throw wrong(`design must be 'grid' or 'one at a time', got ${showValue(design)}.`);
  }
  const isSeed = (seed: unknown) => fields.get('seed')?.accepts(seed);
  if (!Array.isArray(seeds) || seeds.length === 0 || !seeds.every(isSeed) || new Set(seeds).size < seeds.length) {
    throw wrong(`seeds must be a list of different integers of at least 0, got ${showValue(seeds)}.`);
  }
  const factors = readFactors(content.factors, wrong);
  return {
    name: basename(file, '.json'),
    title,
    settings: readSettings('settings', content.settings ?? {}, wrong),
    quick: readSettings('quick', content.quick ?? {}, wrong),
    full: readSettings('full', content.full ?? {}, wrong),
    factors,
    design,
    together: readTogether(together, design, factors, wrong),
    seeds,
    evaluate,
  };
}

type Wrong = (what: string) => UsageError;

function parse(file: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isTree(content)) throw new Error('it is not a JSON object');
    return content;
  } catch (error) {
    const names = readdirSync(ownStudies).map((name) => basename(name, '.json'));
    throw new UsageError(
      `The study ${file} cannot be read: ${(error as Error).message}. Name a JSON file, or one of ${names.join(', ')}.`,
    );
  }
}

function readSettings(what: string, tree: unknown, wrong: Wrong): Flat {
  if (!isTree(tree)) throw wrong(`${what} must be settings in groups, got ${showValue(tree)}.`);
  const flat = flatten(tree);
  const stranger = Object.keys(flat).find((name) => !fields.has(name as SettingName));
  if (stranger !== undefined) throw wrong(`${what}: ${unknownSetting(stranger)}`);
  if ('seed' in flat) throw wrong(`${what}: the seeds of a study are its seeds. Take seed out.`);
  return flat;
}

function readFactors(factors: unknown, wrong: Wrong): StudyFile['factors'] {
  if (!isTree(factors) || Object.keys(factors).length === 0) {
    throw wrong(`factors must hold at least one factor with its levels, got ${showValue(factors)}.`);
  }
  const read = Object.entries(factors).map(([name, levels]) => {
    const entries = Array.isArray(levels)
      ? levels.map((value): [string, Flat] => [textOf(value), { [name]: value }])
      : Object.entries(isTree(levels) ? levels : {}).map(([level, tree]): [string, Flat] => [
          level,
          readSettings(`${name}, ${level}`, tree, wrong),
        ]);
    if (entries.length < 2) throw wrong(`factors: ${name} must have at least two levels, got ${entries.length}.`);
    if (Array.isArray(levels) && !fields.has(name as SettingName)) {
      throw wrong(`factors: ${unknownSetting(name)} A list gives the values of a setting; name levels in groups.`);
    }
    // an object would put whole numbers first
    const whole = Array.isArray(levels) ? undefined : entries.find(([level]) => /^\d+$/.test(level));
    if (whole)
      throw wrong(
        `factors: ${name} has a level ${showValue(whole[0])}, and JSON does not keep the order of whole numbers. Give it a word, or list the values.`,
      );
    return [name, new Map(entries)] as const;
  });
  return Object.fromEntries(read);
}

/** A value as the name of a level. */
const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(',') : String(value));

function readTogether(
  together: unknown,
  design: StudyFile['design'],
  factors: StudyFile['factors'],
  wrong: Wrong,
): StudyFile['together'] {
  if (!isTree(together)) throw wrong(`together must hold cells by name, got ${showValue(together)}.`);
  for (const [cell, levels] of Object.entries(together)) {
    if (design === 'grid') throw wrong('together belongs to the design one at a time: a grid has all combinations.');
    if (!isTree(levels)) throw wrong(`together, ${cell} must hold levels by factor, got ${showValue(levels)}.`);
    for (const [factor, level] of Object.entries(levels)) {
      const there = [...(factors[factor]?.keys() ?? [])];
      if (!there.includes(level as string)) {
        const choices =
          there.length > 0 ? there.join(', ') : `none: the factors are ${Object.keys(factors).join(', ')}`;
        throw wrong(`together, ${cell}: ${factor} has no level ${showValue(level)}. It has ${choices}.`);
      }
    }
  }
  return together as StudyFile['together'];
}
