import { parseArgs } from 'node:util';

/** A mistake on the command line: exit code 2. */
export class UsageError extends Error {}

/** An option that takes a whole number. */
export interface IntegerOption {
  readonly type: 'integer';
  readonly default: number;
  readonly minimum: number;
  readonly unit: string;
  readonly help: string;
}

/** An option that takes a name. */
export interface TextOption {
  readonly type: 'text';
  readonly default: string;
  readonly help: string;
}

/** An option that takes a whole number of at least `minimum`. */
export const integerOption = (value: number, minimum: number, unit: string, help: string): IntegerOption => ({
  ...{ type: 'integer', default: value, minimum, unit, help },
});

type OptionSpec = IntegerOption | TextOption;
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What a bench gets: one value for each of its options. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name]['type'] extends 'integer' ? number : string;
};

/** Options that every bench has. */
export interface CommonOptions {
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * Reads the arguments of a bench.
 *
 * @throws UsageError for an unknown option, a missing or a wrong value.
 */
export function parseOptions<Specs extends OptionSpecs>(
  bench: string,
  specs: Specs,
  args: readonly string[],
): { values: OptionValues<Specs>; common: CommonOptions } {
  const { values: given, positionals } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    options: {
      ...Object.fromEntries(Object.keys(specs).map((name) => [name, { type: 'string' as const }])),
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  for (const name of Object.keys(given)) {
    if (!(name in specs) && name !== 'json' && name !== 'help') {
      const known = [...Object.keys(specs), 'json', 'help'].map((option) => `--${option}`).join(', ');
      throw new UsageError(`bench ${bench}: unknown option --${name}. The options are ${known}.`);
    }
  }
  if (positionals.length > 0) {
    throw new UsageError(`bench ${bench}: every argument must be an option, got '${positionals[0]}'. See --help.`);
  }
  for (const name of ['json', 'help']) {
    if (typeof given[name] === 'string') {
      throw new UsageError(`bench ${bench}: --${name} takes no value, got '${given[name]}'. Leave it out.`);
    }
  }
  const values = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      name in given ? read(bench, name, spec, given[name]) : spec.default,
    ]),
  );
  return {
    values: values as OptionValues<Specs>,
    common: { json: given.json === true, help: given.help === true },
  };
}

function read(bench: string, name: string, spec: OptionSpec, value: unknown): string | number {
  if (typeof value !== 'string' || value === '') {
    throw new UsageError(`bench ${bench}: --${name} needs a value, for example --${name} ${spec.default}.`);
  }
  if (spec.type === 'text') return value;
  if (!/^\d+$/.test(value) || Number(value) < spec.minimum) {
    throw new UsageError(
      `bench ${bench}: --${name} must be a whole number of ${spec.unit}, at least ${spec.minimum}, got '${value}'.`,
    );
  }
  return Number(value);
}

/**
 * The value of an option that has a few.
 *
 * @throws UsageError for any other.
 */
export function oneOf<T extends string>(bench: string, name: string, value: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new UsageError(`bench ${bench}: --${name} must be one of ${allowed.join(', ')}, got '${value}'.`);
  }
  return value as T;
}

/** The lines of --help for the options of a bench. */
export function describeOptions(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([name, spec]): [string, string] => [
    `--${name} ${spec.type === 'integer' ? 'N' : 'NAME'}`,
    spec.default === ''
      ? spec.help
      : `${spec.help} (${spec.type === 'integer' ? `${spec.unit}; ` : ''}default ${spec.default})`,
  ]);
  rows.push(['--json', 'print one line of JSON instead of a table'], ['--help, -h', 'print this text']);
  const width = Math.max(...rows.map(([option]) => option.length));
  return rows.map(([option, help]) => `  ${option.padEnd(width)}  ${help}`).join('\n');
}
