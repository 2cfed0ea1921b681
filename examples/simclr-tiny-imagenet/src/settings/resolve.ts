import { rateOfBatch, withMomentum } from '../tables/optimizers.ts';
import { UsageError } from '../usage-error.ts';
import { checkSettings } from './check.ts';
import { defaultOf, type Preset, type Scale } from './field.ts';
import { fields, type GivenSettings, type SettingName, type Settings, settingsTable, unflatten } from './table.ts';

/**
 * The settings of a call: those that are given, and the preset's at its scale for all others.
 *
 * @throws UsageError with a line for each setting that is not known or has a wrong value.
 */
export function resolveSettings(given: Readonly<Record<string, unknown>> | GivenSettings = {}): Settings {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  checkSettings(set);
  const preset: Preset = set.preset ?? settingsTable.preset.defaults.default;
  const scale: Scale = set.scale ?? settingsTable.scale.defaults.default;
  const values = [...fields].map(([name, each]) => [name, set[name] ?? defaultOf(each, preset, scale)]);
  const flat: Record<string, unknown> = Object.fromEntries(values);
  const rate = rateOfBatch[flat['optimizer.name'] as string];
  if (rate && set['optimizer.learningRate'] === undefined)
    flat['optimizer.learningRate'] = rate(flat.batchSize as number);
  return unflatten(flat) as unknown as Settings;
}

/** Settings that mean something only beside others. */
const dependent: ReadonlyArray<{
  readonly names: readonly SettingName[];
  /** The other setting, as an advice. */
  readonly needs: string;
  readonly holds: (settings: Settings) => boolean;
}> = [
  {
    names: ['optimizer.momentum'],
    needs: `optimizer.name ${withMomentum.join(' or ')}`,
    holds: ({ optimizer }) => withMomentum.includes(optimizer.name),
  },
  {
    names: ['schedule.warmupEpochs', 'schedule.warmupSteps'],
    needs: 'schedule.name cosine',
    holds: ({ schedule }) => schedule.name === 'cosine',
  },
  {
    names: ['augmentation.solarizeThreshold'],
    needs: 'augmentation.solarizeProbability above 0',
    holds: ({ augmentation }) => augmentation.solarizeProbability > 0,
  },
  {
    names: ['augmentation.jitterStrength'],
    needs: 'augmentation.jitterProbability above 0',
    holds: ({ augmentation }) => augmentation.jitterProbability > 0,
  },
  {
    names: ['augmentation.blurSigma'],
    needs: 'augmentation.blurProbability above 0',
    holds: ({ augmentation }) => augmentation.blurProbability > 0,
  },
];

/**
 * Refuses settings that would change nothing.
 *
 * @param set - names of the settings that somebody has set for this call.
 * @throws UsageError naming what each needs.
 */
export function checkEffective(set: ReadonlySet<string>, settings: Settings): void {
  const idle = dependent.flatMap(({ names, needs, holds }) =>
    holds(settings)
      ? []
      : names.filter((name) => set.has(name)).map((name) => `${name} has no effect without ${needs}.`),
  );
  if (idle.length > 0) throw new UsageError(`${idle.join('\n')}\nSet both, or leave it out.`);
}
