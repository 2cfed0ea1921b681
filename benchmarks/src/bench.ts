import type { OptionSpecs, OptionValues } from './options.ts';

/** Where a bench says what it does meanwhile and what is wrong; never the result. */
export type Log = (line: string) => void;

/** A result, for programs and for people. */
export interface BenchResult {
  /** The line of JSON. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly table: ReadonlyArray<readonly [label: string, value: string]>;
}

/** One benchmark of the command line. */
export interface Bench<Specs extends OptionSpecs = OptionSpecs> {
  readonly name: string;
  /** One line for the list of benches. */
  readonly summary: string;
  readonly options: Specs;
  run(options: OptionValues<Specs>, log: Log): Promise<BenchResult>;
}
