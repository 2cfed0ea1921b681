import { readFileSync } from 'node:fs';
import { options as optionTable } from './options-table.ts';
import { didYouMean, unknownSetting } from './settings/check.ts';
import { inTodaysNames, isTree } from './settings/earlier.ts';
import { fields, flatten, type GivenSettings, type SettingName } from './settings/table.ts';
import { UsageError } from './usage-error.ts';

/** What a JSON file gives. */
export interface ConfigFile {
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: GivenSettings;
  /** Whether it is the `config.json` of a run, which holds every setting. */
  readonly isOfRun: boolean;
}

/**
 * Reads the file of `--config`: options and settings in groups, or the `config.json` of a run, of whose options its images and engine are taken.
 *
 * @param set - the settings that flags give.
 * @throws UsageError if it cannot be read, holds a name that is not known, or fixes a preset that flags change.
 */
export function readConfigFile(path: string, set: GivenSettings): ConfigFile {
  const content = readJson(path);
  const isOfRun = isTree(content.images) && isTree(content.environment);
  if (!isOfRun) return { ...sort(path, content), isOfRun };
  const changed = (['preset', 'scale'] as const).find((name) => set[name] !== undefined && set[name] !== content[name]);
  if (changed) {
    throw new UsageError(
      `--config ${path} is of a run and holds every setting of ${changed} ${content[changed]}, got --${changed} ${set[changed]}. Leave one out, or change single settings with --set.`,
    );
  }
  const { images: _, environment: __, init: ___, options, ...settings } = content;
  return { ...sort(path, { ...repeatable(options), ...inTodaysNames(settings) }), isOfRun };
}

/** Options of a run that another one takes over. */
function repeatable(options: unknown): Record<string, unknown> {
  if (!isTree(options)) return {};
  const { classes: _, imagesPerClass: __, init: ___, ...others } = options;
  return others;
}

/** Tells options from settings. */
function sort(path: string, content: Readonly<Record<string, unknown>>): Omit<ConfigFile, 'isOfRun'> {
  const isOption = (name: string) => Object.hasOwn(optionTable, name);
  const entries = Object.entries(content);
  const settings = flatten(Object.fromEntries(entries.filter(([name]) => !isOption(name))));
  const problems = Object.keys(settings).filter((name) => !fields.has(name as SettingName));
  if (problems.length > 0) {
    const lines = problems.map((name) => {
      const option = didYouMean(name, Object.keys(optionTable));
      const setting = unknownSetting(name);
      return option && !/Did you mean/.test(setting) ? `There is no option '${name}'.${option}` : setting;
    });
    throw new UsageError(`--config ${path}:\n${lines.join('\n')}\nRun with --help or --help settings for the lists.`);
  }
  return { options: Object.fromEntries(entries.filter(([name]) => isOption(name))), settings };
}

function readJson(path: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isTree(content)) throw new Error('it is not a JSON object');
    return content;
  } catch (error) {
    throw new UsageError(`--config ${path} cannot be read: ${(error as Error).message}.`);
  }
}
