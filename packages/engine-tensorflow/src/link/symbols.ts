import type { Run } from './system.ts';

/** Names of TensorFlow's C functions in the output of `nm`, without their versions. */
export function tensorflowSymbols(nmOutput: string): Set<string> {
  const names = new Set<string>();
  for (const line of nmOutput.split('\n')) {
    const name = line.split(' ').at(-1)?.replace(/@.*/, '') ?? '';
    if (/^TFE?_/.test(name)) names.add(name);
  }
  return names;
}

/** What an addon needs of TensorFlow and does not find there. */
export interface SymbolCheck {
  readonly needed: number;
  readonly missing: readonly string[];
}

/**
 * Compares what an addon needs with what libraries have.
 *
 * @returns null where there is no `nm`; loading the addon then tells the first symbol that is missing.
 */
export function checkSymbols(run: Run, addon: string, libraries: readonly string[]): SymbolCheck | null {
  const wanted = run('nm', ['-D', '--undefined-only', addon]);
  if (wanted.status !== 0) return null;
  const offered = run('nm', ['-D', '--defined-only', ...libraries]);
  if (offered.status !== 0) return null;
  const there = tensorflowSymbols(offered.stdout);
  const needed = [...tensorflowSymbols(wanted.stdout)];
  return { needed: needed.length, missing: needed.filter((name) => !there.has(name)).sort() };
}
