import type { Bench, BenchResult } from './bench.ts';
import { benches } from './bench-registry.ts';
import { describeOptions, parseOptions, UsageError } from './options.ts';

/** Where the command writes. Only the result goes to `out`. */
export interface Output {
  out(line: string): void;
  error(line: string): void;
}

/**
 * The command line of the benchmarks.
 *
 * @param args - name of a bench and its options.
 * @returns the exit code: 0, 1 for a failure, 2 for a mistake on the command line.
 */
export async function runCli(args: readonly string[], output: Output): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === '--help' || name === '-h') {
      output.out(usage());
      return 0;
    }
    if (name === undefined || name.startsWith('-')) {
      throw new UsageError(
        `bench: the first argument must be the name of a bench, got ${name ?? 'none'}.\n\n${usage()}`,
      );
    }
    const bench = benches.find((candidate) => candidate.name === name);
    if (!bench) throw new UsageError(`bench: there is no bench '${name}'.\n\n${usage()}`);
    const { values, common } = parseOptions(bench.name, bench.options, rest);
    if (common.help) {
      output.out(help(bench));
      return 0;
    }
    const result = await bench.run(values, (line) => output.error(line));
    const command = ['npm run bench --', ...args].join(' ');
    const date = new Date().toISOString().slice(0, 10);
    output.out(common.json ? JSON.stringify({ ...result.record, command, date }) : table(result));
    return 0;
  } catch (error) {
    output.error(error instanceof Error ? error.message : String(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

function usage(): string {
  const width = Math.max(...benches.map(({ name }) => name.length));
  const lines = benches.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `npm run bench -- NAME [options]\n\nBenchmarks (NAME --help lists the options of one):\n${lines.join('\n')}`;
}

function help(bench: Bench): string {
  return `npm run bench -- ${bench.name} [options]\n\n${bench.summary}\n\n${describeOptions(bench.options)}`;
}

function table({ table }: BenchResult): string {
  const width = Math.max(...table.map(([label]) => label.length));
  return table.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}
