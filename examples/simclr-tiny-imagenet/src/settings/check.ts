import { showValue } from '@tfjs-ssl/checks';
import leven from 'leven';
import { UsageError } from '../usage-error.ts';
import type { Field } from './field.ts';
import { fields, type GivenSettings, type SettingName } from './table.ts';

const seeAll = 'Run with --help settings for the list.';

/** The known name that somebody has probably meant, as a question; nothing if none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const [given, ...others] = [name, ...known].map((each) => each.toLowerCase()) as [string, ...string[]];
  const swapped = others.findIndex((each) => lettersOf(each) === lettersOf(given));
  const distances = others.map((each) => leven(given, each));
  const least = Math.min(...distances);
  // two letters, or a third of a long name; of a short one, two letters are too many
  const isNear = least <= (name.length > 3 ? Math.max(2, name.length / 3) : 1);
  const meant = known[swapped >= 0 ? swapped : distances.indexOf(least)];
  return swapped >= 0 || isNear ? ` Did you mean ${meant}?` : '';
}

const lettersOf = (name: string): string => [...name].sort().join('');

/** What is wrong with a value, in one line; null if nothing is. */
function problemOf(name: string, field: Field<unknown>, value: unknown): string | null {
  if (field.accepts(value)) return null;
  const hint = field.choices && typeof value === 'string' ? didYouMean(value, field.choices) : '';
  const must = field.choices ? oneOf(field.choices) : field.takes.replace(/^(?=[a-z])/, article);
  return `${name} must be ${must}, got ${showValue(value)}.${hint}`;
}

/** @throws UsageError with a line for each setting that is not known or has a wrong value. */
export function checkSettings(given: Readonly<Record<string, unknown>>): asserts given is GivenSettings {
  const problems = Object.entries(given).flatMap(([name, value]) => {
    const field = fields.get(name as SettingName);
    return field ? (problemOf(name, field, value) ?? []) : unknownSetting(name);
  });
  if (problems.length > 0) throw new UsageError(`${problems.join('\n')}\n${seeAll}`);
}

/** What is wrong with a name that is not a setting's. */
export function unknownSetting(name: string): string {
  const inGroup = [...fields.keys()].filter((each) => each.startsWith(`${name}.`));
  if (inGroup.length > 0) return `${name} is a group of settings: ${inGroup.join(', ')}. Name one of them.`;
  const last = [...fields.keys()].filter((each) => each.endsWith(`.${name}`));
  const hint = last.length > 0 ? ` Did you mean ${last.join(' or ')}?` : didYouMean(name, [...fields.keys()]);
  return `There is no setting ${showValue(name)}.${hint}`;
}

/**
 * Reads `NAME=VALUE`.
 *
 * @throws UsageError if it is not one, or there is no such setting. The value is checked later, with all others.
 */
export function parseAssignment(text: string): [SettingName, unknown] {
  const at = text.indexOf('=');
  const name = (at < 0 ? text : text.slice(0, at)).trim();
  if (at <= 0) {
    throw new UsageError(`--set takes NAME=VALUE, for example temperature=0.2, got ${showValue(text)}. ${seeAll}`);
  }
  const field = fields.get(name as SettingName);
  if (!field) throw new UsageError(`${unknownSetting(name)} ${seeAll}`);
  return [name as SettingName, field.parse(text.slice(at + 1).trim())];
}

function oneOf(choices: readonly string[]): string {
  return choices.length === 1 ? (choices[0] as string) : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

const article = (_: string, at: number, text: string): string => (/^[aeiou]/.test(text.slice(at)) ? 'an ' : 'a ');
