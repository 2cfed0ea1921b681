import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What runs a bench: Node.js, the system, the widest vectors of an x86 processor (on Linux) and, if it takes part, the package that brings Dawn. */
export function runtimeName(engine: string): string {
  const name = [`Node.js ${process.versions.node}`, `${process.platform} ${process.arch}`, ...vectors(processorFlags())].join(', '); // biome-ignore format: one name
  if (engine !== 'webgpu') return name;
  const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  return `${name}, Dawn of webgpu ${version}`;
}

/** The widest vectors that a processor with such flags computes with, in a list; empty if they are unknown. */
export function vectors(flags: string): string[] {
  const known = { avx512f: 'AVX-512', avx2: 'AVX2' };
  const words = flags.split(/\s+/);
  const widest = Object.entries(known).find(([flag]) => words.includes(flag));
  return widest ? [widest[1]] : [];
}

/** The line of flags of the first processor; empty where the system does not tell. */
function processorFlags(): string {
  if (process.platform !== 'linux') return '';
  return readFileSync('/proc/cpuinfo', 'utf8').match(/^flags\s*:(.*)$/m)?.[1] ?? '';
}
