import { isObject } from './checkpoint-manifest.ts';

/** One setting that differs: its dotted name and both values. */
export interface ConfigDifference {
  readonly name: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * Lists where two configurations differ, field by field; arrays are compared as a whole.
 *
 * @param from - the configuration a run was started with.
 * @param to - the configuration to continue with.
 * @returns the differences in the order of the fields; a field that is missing in one has the value `undefined` there.
 * @example
 * ```ts
 * import { configDifferences } from '@tfjs-ssl/trainer';
 *
 * console.log(configDifferences({ head: { hidden: 256 } }, { head: { hidden: 512 } }));
 * // [ { name: 'head.hidden', from: 256, to: 512 } ]
 * ```
 */
export function configDifferences(from: object, to: object): ConfigDifference[] {
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...names].flatMap((name) => {
    const a: unknown = from[name as keyof typeof from];
    const b: unknown = to[name as keyof typeof to];
    if (isObject(a) && isObject(b)) {
      return configDifferences(a, b).map((difference) => ({ ...difference, name: `${name}.${difference.name}` }));
    }
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [{ name, from: a, to: b }];
  });
}

/**
 * The differences as lines of text for people.
 *
 * @example
 * ```ts
 * import { configDifferences, formatDifferences } from '@tfjs-ssl/trainer';
 *
 * console.log(formatDifferences(configDifferences({ seed: 1 }, { seed: 2 }))); // '  seed: 1 → 2'
 * ```
 */
export function formatDifferences(differences: readonly ConfigDifference[]): string {
  const show = (value: unknown): string => JSON.stringify(value) ?? 'not set';
  return differences.map(({ name, from, to }) => `  ${name}: ${show(from)} → ${show(to)}`).join('\n');
}
