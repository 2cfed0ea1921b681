import { createMemory, instantiate } from './kernel-module.ts';
import { MicroTimer } from './micro-timer.ts';
import { readPackageFile, setV8Flag, v8Version } from './platform.ts';
import type { Variant } from './variant.ts';

/** How a variant is chosen. */
export interface VariantOptions {
  /** Whether V8's re-vectoriser may be used where there is one. */
  readonly revectorize: boolean;
  /** Whether the kernels shall work on a shared memory. */
  readonly shared: boolean;
  /** Says whether two variants compute the same, bit for bit. */
  readonly agree: (reference: Variant, candidate: Variant) => Promise<boolean>;
}

/** How much faster a re-vectorised variant must be to be worth it. */
const WORTH = 1.15;

const read = (name: string, shared: boolean): Promise<Uint8Array<ArrayBuffer>> =>
  readPackageFile(
    shared ? new URL(`../wasm/${name}.wasm`, import.meta.url) : new URL(`../wasm/${name}-single.wasm`, import.meta.url),
  );

/** Compiles one variant. */
export async function loadVariant(name: string, shared = true): Promise<Variant> {
  const module = await WebAssembly.compile(await read(name, shared));
  const { ROWS, COLUMNS } = await instantiate(module, createMemory(32, shared));
  return { name, module, shared, rows: ROWS.value, columns: COLUMNS.value };
}

/** The smallest module with a vector in it. */
const VECTOR = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Whether the runtime has WebAssembly with vectors, which all variants need. */
export function hasSimd(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(new Uint8Array(VECTOR));
}

/**
 * Whether products and sums can be one rounding: a property of the runtime, found the same way each time, as it decides how results
 * round. V8 11 (Node 20) has it behind a flag.
 */
async function hasRelaxedSimd(shared = true): Promise<boolean> {
  const bytes = await read('relaxed-4x8', shared);
  if (!WebAssembly.validate(bytes) && v8Version() === 11) setV8Flag('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(bytes);
}

/**
 * Chooses the build of the kernels for this machine.
 *
 * Among variants that round alike, the fastest in a short race is taken: results do not depend on who wins.
 */
export async function chooseVariant({ revectorize, shared, agree }: VariantOptions): Promise<Variant> {
  if (!(await hasRelaxedSimd(shared))) return loadVariant('plain-4x8', shared);
  const candidates = [await loadVariant('relaxed-4x8', shared), await loadVariant('relaxed-6x8', shared)];
  const timers = await Promise.all(candidates.map((variant) => MicroTimer.create(variant)));
  await race(timers);
  const winner = timers.reduce((best, timer) => (timer.total < best.total ? timer : best));
  if (!revectorize || !shared || v8Version() < 13) return winner.variant;
  return (await tryRevectorized(winner, agree)) ?? winner.variant;
}

/**
 * Compiles the widest variant with V8's re-vectoriser, which is experimental: taken only if it is faster in each micro-kernel, and agrees.
 * The flag is withdrawn once they have been tried; what the process compiles meanwhile is re-vectorised as well.
 */
async function tryRevectorized(winner: MicroTimer, agree: VariantOptions['agree']): Promise<Variant | null> {
  const name = 'relaxed-6x16';
  return withV8Flags({ 'experimental-wasm-revectorize': true }, async () => {
    // V8 14 (Node 26) aborts if it shall optimise a function that has never run: there, only what runs in the race is re-vectorised.
    const variant = await (v8Version() === 13
      ? withV8Flags({ liftoff: false, 'wasm-lazy-compilation': false }, () => loadVariant(name))
      : loadVariant(name));
    const timer = await MicroTimer.create(variant);
    const isFaster = () => timer.best.every((time, kind) => time * WORTH < (winner.best[kind] as number));
    for (const end = performance.now() + LONGEST_RACE; !isFaster() && performance.now() < end; ) {
      timer.run();
      await pause();
    }
    return isFaster() && (await agree(winner.variant, variant)) ? variant : null;
  });
}

/** Sets flags of V8 that have the other value by default, and sets them back when the function has ended. */
async function withV8Flags<T>(flags: Readonly<Record<string, boolean>>, run: () => Promise<T>): Promise<T> {
  const set = (back: boolean): void => {
    for (const [flag, value] of Object.entries(flags)) setV8Flag(value === back ? `--no-${flag}` : `--${flag}`);
  };
  const alive = setInterval(() => {}, 1000); // Node ends while it awaits nothing but its optimising compiler
  try {
    set(false);
    return await run();
  } finally {
    set(true);
    clearInterval(alive);
  }
}

/** Shortest and longest race in milliseconds; the shortest gives the optimising compiler time to finish. */
const SHORTEST_RACE = 30;
const LONGEST_RACE = 250;
/** Rounds without an improvement that end a race. */
const ROUNDS = 8;

/** Lets timers run in turns until none improves any more. */
async function race(timers: readonly MicroTimer[]): Promise<void> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  for (let unchanged = 0; unchanged < ROUNDS || elapsed() < SHORTEST_RACE; unchanged++) {
    for (const timer of timers) if (timer.run()) unchanged = 0;
    if (elapsed() > LONGEST_RACE) return;
    await pause();
  }
}

/** Leaves the processors to the compiler's threads for a moment. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
