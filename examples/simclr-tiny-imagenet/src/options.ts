import { parseArgs } from 'node:util';
import { readConfigFile } from './config-file.ts';
import { type OptionName, type Options, optionProblem, options as table } from './options-table.ts';
import { parseAssignment } from './settings/check.ts';
import { checkEffective, resolveSettings } from './settings/resolve.ts';
import { fields, type GivenSettings, type SettingName } from './settings/table.ts';
import { kebab, UsageError } from './usage-error.ts';

/** Settings that have a flag of their own: `--epochs 3` is `--set epochs=3`. */
export const settingFlags = [
  'preset',
  'scale',
  'precision',
  'classes',
  'imagesPerClass',
  'epochs',
  'batchSize',
  'seed',
] as const satisfies readonly SettingName[];

/** What a call asks for. */
export interface ParsedOptions {
  /** With the defaults of options that were not given. */
  readonly options: Options;
  /** Names of the options that were given. */
  readonly given: ReadonlySet<OptionName>;
  /** The settings that were given, by flags, `--set` or a config; all others are the preset's. */
  readonly settings: GivenSettings;
}

/** A call that asks for a text. */
export type HelpRequest = 'help' | 'help settings';

/**
 * Reads the command line and the file of `--config`.
 *
 * @returns the options and settings, checked; or which help is asked for.
 * @throws UsageError naming the option or setting, what it takes and what came.
 */
export function parseOptions(args: readonly string[]): ParsedOptions | HelpRequest {
  const { values, positionals } = readArguments(args);
  if (values.help) return positionals[0] === 'settings' ? 'help settings' : 'help';
  const fromFlags: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const value = values[kebab(name)];
    if (value !== undefined) fromFlags[name] = typeof value === 'string' ? option.parse(value) : value;
  }
  if (fromFlags.compare !== undefined) fromFlags.compare = [...(fromFlags.compare as string[]), ...positionals];
  const set = settingsOf(values);
  const file = values.config === undefined ? null : readConfigFile(values.config as string, set);
  const merged: Record<string, unknown> = { ...file?.options, ...fromFlags };
  const problems = Object.entries(merged).flatMap(([name, value]) => optionProblem(name as OptionName, value) ?? []);
  if (problems.length > 0) throw new UsageError(`${problems.join('\n')}\n${seeHelp}`);
  const given = new Set(Object.keys(merged) as OptionName[]);
  const settings: GivenSettings = { ...file?.settings, ...set };
  checkTogether(given, new Set(Object.keys(settings)));
  const resolved = resolveSettings(settings);
  if (!given.has('resume')) {
    checkEffective(
      new Set([...Object.keys(file?.isOfRun ? {} : (file?.settings ?? {})), ...Object.keys(set)]),
      resolved,
    );
  }
  const defaults = Object.entries(table).map(([name, { default: value }]) => [name, value]);
  return { options: { ...Object.fromEntries(defaults), ...merged } as Options, given, settings };
}

const seeHelp = 'Run with --help for the list of options.';

function readArguments(args: readonly string[]): {
  values: Record<string, string | boolean | string[] | undefined>;
  positionals: string[];
} {
  const flags = Object.entries(table).map(([name, { kind }]) => [
    kebab(name),
    kind === 'switch' ? { type: 'boolean' } : { type: 'string', ...(kind === 'list' && { multiple: true }) },
  ]);
  try {
    const { values: found, positionals } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(flags),
        ...Object.fromEntries(settingFlags.map((name) => [kebab(name), { type: 'string' }])),
        set: { type: 'string', multiple: true },
        config: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
      strict: true,
    });
    const values = found as Record<string, string | boolean | string[] | undefined>;
    const takesMore = values.help === true || values.compare !== undefined;
    const [stray] = positionals;
    if (stray !== undefined && !takesMore) throw new Error(`Unexpected argument '${stray}'`);
    return { values, positionals };
  } catch (error) {
    // the first sentence or, of a value that looks like an option, the advice on the lines below
    const reason = (error as Error).message.split('. ')[0]?.replaceAll('\n', ' ').replace(/\.$/, '');
    throw new UsageError(`${reason}. ${seeHelp}`);
  }
}

/** The settings that flags and `--set` name; the values are not checked yet. */
function settingsOf(values: Readonly<Record<string, unknown>>): GivenSettings {
  const assigned = ((values.set ?? []) as string[]).map(parseAssignment);
  const flagged = settingFlags.flatMap((name): Array<[SettingName, unknown]> => {
    const text = values[kebab(name)];
    return text === undefined ? [] : [[name, fields.get(name)?.parse(text as string)]];
  });
  const byFlag = new Map(flagged);
  const both = assigned.find(([name, value]) => byFlag.has(name) && byFlag.get(name) !== value);
  if (both) {
    const [name, value] = both;
    throw new UsageError(
      `--${kebab(name)} and --set ${name} must agree, got ${byFlag.get(name)} and ${value}. Leave one out.`,
    );
  }
  return Object.fromEntries([...flagged, ...assigned]);
}

/** Options and settings that an evaluation takes. */
const ofEvaluation: ReadonlySet<string> = new Set([
  'evaluate',
  'normalize',
  'sgdProbe',
  'fineTune',
  'fineTuneEpochs',
  'fineTuneSeeds',
  'engine',
  'threads',
  'requireGpu',
  'data',
  'cache',
  'skipCorrupt',
  'scale',
  'classes',
  'imagesPerClass',
  'imageSeed',
  'imageSize',
]);

/** Options of fine-tuning. */
const ofFineTuning = ['fineTuneEpochs', 'fineTuneSeeds'] as const satisfies readonly OptionName[];

/** Refuses options that do not go together. */
function checkTogether(given: ReadonlySet<OptionName>, set: ReadonlySet<string>): void {
  const all = [...[...given].map((name) => `--${kebab(name)}`), ...[...set].map(flagOf)];
  for (const alone of ['report', 'compare'] as const) {
    if (!given.has(alone) || all.length === 1) continue;
    const others = all.filter((name) => name !== `--${alone}`);
    throw new UsageError(`--${alone} takes no other option, got ${others.join(', ')}. Leave them out.`);
  }
  if (given.has('resume') && given.has('init')) {
    throw new UsageError('--init starts a new run, and --resume goes on with one. Leave one out.');
  }
  if (given.has('continue') && (given.has('resume') || !given.has('out'))) {
    throw new UsageError(
      '--continue goes with --out FOLDER: it resumes the run in this folder or starts it. Add --out, and leave --resume out.',
    );
  }
  if (!given.has('evaluate')) {
    if (given.has('normalize')) throw new UsageError('--normalize goes with --evaluate FILE alone. Leave it out.');
    const alone = (['sgdProbe', 'fineTune', ...ofFineTuning] as const).find((name) => given.has(name));
    if (alone)
      throw new UsageError(`--${kebab(alone)} goes with --evaluate RUN or FILE alone. Add it, or leave this out.`);
    return;
  }
  const lonely = given.has('fineTune') ? undefined : ofFineTuning.find((name) => given.has(name));
  if (lonely) throw new UsageError(`--${kebab(lonely)} goes with --fine-tune alone. Add it, or leave this out.`);
  const others = [
    ...[...given].filter((name) => !ofEvaluation.has(name)).map((name) => `--${kebab(name)}`),
    ...[...set].filter((name) => !ofEvaluation.has(name)).map(flagOf),
  ];
  if (others.length > 0) throw new UsageError(`--evaluate does not take ${others.join(', ')}. Leave them out.`);
}

/** How a setting is written on the command line. */
export function flagOf(name: string): string {
  return (settingFlags as readonly string[]).includes(name) ? `--${kebab(name)}` : `--set ${name}`;
}
