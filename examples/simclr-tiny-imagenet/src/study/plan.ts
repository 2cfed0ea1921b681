import { checkEffective, resolveSettings } from '../settings/resolve.ts';
import { flatten, type GivenSettings, type Settings } from '../settings/table.ts';
import { UsageError } from '../usage-error.ts';
import type { StudyFile } from './study-file.ts';

/** A combination of levels. */
export interface Cell {
  /** For example `solarize 0, head wide`, or the name of a cell of `together`. */
  readonly name: string;
  /** The level of each factor. */
  readonly levels: Readonly<Record<string, string>>;
  /** The settings that the study gives; all others are the preset's. */
  readonly given: GivenSettings;
  /** All settings, with the first seed. */
  readonly settings: Settings;
}

/** One run of a study. */
export interface PlannedRun {
  readonly cell: Cell;
  readonly seed: number;
  readonly settings: Settings;
  /** Name of its folder. */
  readonly folder: string;
}

/** What a study runs. */
export interface Plan {
  readonly title: string;
  readonly factors: Readonly<Record<string, readonly string[]>>;
  /** Names of the cells that change several factors of the reference at once. */
  readonly together: readonly string[];
  readonly cells: readonly Cell[];
  readonly seeds: readonly number[];
  /** All cells of the first seed come first, so that a part of a study has the same seeds of all cells. */
  readonly runs: readonly PlannedRun[];
  readonly evaluate: boolean;
}

/**
 * The cells and runs of a study.
 *
 * @param given - settings that the command line changes for all cells.
 * @throws UsageError if a setting is wrong, two cells are the same, or the command line changes a factor.
 */
export function planStudy(file: StudyFile, given: Readonly<Record<string, unknown>>): Plan {
  const scale = given.scale ?? file.settings.scale ?? 'quick';
  const base = { ...file.settings, ...(scale === 'full' ? file.full : file.quick), ...given };
  const byLevels = Object.values(file.factors).flatMap((levels) => [...levels.values()].flatMap(Object.keys));
  const fixed = Object.keys(given).find((name) => byLevels.includes(name));
  if (fixed) {
    throw new UsageError(`--set ${fixed}: this is a factor of the study. Leave it out, or change the study's file.`);
  }
  const cells = levelsOf(file).map(([name, levels]): Cell => {
    const own = Object.assign({}, ...Object.entries(levels).map(([factor, level]) => file.factors[factor]?.get(level)));
    const all = { ...base, ...own, seed: file.seeds[0] };
    return { name, levels, given: all, settings: settingsOf(all, name) };
  });
  checkDistinct(cells);
  const runs = file.seeds.flatMap((seed) =>
    cells.map((cell): PlannedRun => {
      const folder = `${cell.name.replaceAll(/[^\w.,+-]+/g, '-')}-seed-${seed}`;
      return { cell, seed, settings: { ...cell.settings, seed }, folder };
    }),
  );
  const factors = Object.entries(file.factors).map(([name, levels]) => [name, [...levels.keys()]]);
  return {
    title: file.title,
    factors: Object.fromEntries(factors),
    together: Object.keys(file.together),
    cells,
    seeds: file.seeds,
    runs,
    evaluate: file.evaluate,
  };
}

type Levels = Readonly<Record<string, string>>;

/** The cells of the design, by name. */
function levelsOf({ factors, design, together }: StudyFile): Array<[name: string, levels: Levels]> {
  const entries = Object.entries(factors).map(([name, levels]) => [name, [...levels.keys()]] as const);
  if (design === 'grid') {
    const grid = entries.reduce<Levels[]>(
      (cells, [name, levels]) => cells.flatMap((cell) => levels.map((level) => ({ ...cell, [name]: level }))),
      [{}],
    );
    return grid.map((levels) => [nameOf(levels), levels]);
  }
  const reference: Levels = Object.fromEntries(entries.map(([name, [first]]) => [name, first as string]));
  return [
    ['reference', reference],
    ...entries.flatMap(([name, [, ...others]]) =>
      others.map((level): [string, Levels] => [nameOf({ [name]: level }), { ...reference, [name]: level }]),
    ),
    ...Object.entries(together).map(([name, levels]): [string, Levels] => [name, { ...reference, ...levels }]),
  ];
}

const nameOf = (levels: Levels): string =>
  Object.entries(levels)
    .map(([factor, level]) => `${factor} ${level}`)
    .join(', ');

function settingsOf(given: Readonly<Record<string, unknown>>, cell: string): Settings {
  try {
    const settings = resolveSettings(given);
    checkEffective(new Set(Object.keys(given)), settings);
    return settings;
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`In cell ${cell} of the study:\n${error.message}`) : error;
  }
}

function checkDistinct(cells: readonly Cell[]): void {
  const seen = new Map<string, string>();
  for (const { name, settings } of cells) {
    const { preset: _, ...numbers } = flatten(settings);
    const key = JSON.stringify(numbers);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new UsageError(`The cells ${other} and ${name} of the study have the same settings. Take one of them out.`);
    }
    seen.set(key, name);
  }
}
