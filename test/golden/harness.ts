import '@tensorflow/tfjs-layers';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { availableEngines, type Precision, startEngine } from '@tfjs-ssl/engine';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { disposeVariables, type Tolerance, worstDeviation } from '@tfjs-ssl/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

/** An array of a golden file: row-major numbers with their shape. */
export interface GoldenTensor {
  readonly shape: number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** What a case expects of one result: a number or the name of a tensor, with its tolerance. */
export interface Expectation extends Tolerance {
  readonly value?: number;
  readonly tensor?: string;
  /** Further tolerance, relative to the largest magnitude of the expected row (the last axis). */
  readonly row_rtol?: number;
  readonly note?: string;
}

/** A case of a golden group. Which fields it has beside these depends on the group. */
export interface GoldenCase {
  readonly id: string;
  readonly op?: string;
  readonly formula?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the files define the fields, each group's test knows its own
  readonly params: any;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  readonly inputs: any;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  readonly expected: any;
  readonly note?: string;
  // biome-ignore lint/suspicious/noExplicitAny: likewise
  readonly [field: string]: any;
}

/** A golden group: its description, cases and arrays. */
export interface GoldenGroup {
  /** The group's JSON file: formulas, rules of comparison, and what all its cases share. */
  // biome-ignore lint/suspicious/noExplicitAny: the files define the fields
  readonly doc: any;
  readonly cases: readonly GoldenCase[];
  tensor(name: string): GoldenTensor;
}

/** Names of all groups of the set. */
export function groupNames(): string[] {
  const index = JSON.parse(readFileSync(`${root}/index.json`, 'utf8')) as { groups: Array<{ group: string }> };
  return index.groups.map(({ group }) => group);
}

/** How one case is treated: run, or listed as what cannot be run on this machine. */
export type Treatment =
  | { readonly run: (golden: GoldenGroup, engine: string) => void | Promise<void> }
  | { readonly cannotRun: string };

const root = process.env.GOLDEN_DIR ?? fileURLToPath(new URL('./fixtures', import.meta.url));

/** Reads a group of the set that `GOLDEN_DIR` names (default: the repository's own fixtures); null where the set has none. */
export function readGroup(name: string): GoldenGroup | null {
  const index = JSON.parse(readFileSync(`${root}/index.json`, 'utf8')) as {
    groups: Array<{ group: string; json: string; tensors: string }>;
  };
  const entry = index.groups.find(({ group }) => group === name);
  if (!entry) return null;
  const doc = JSON.parse(readFileSync(`${root}/${entry.json}`, 'utf8'));
  const { tensors } = decodeSafetensors(readFileSync(`${root}/${entry.tensors}`));
  return {
    doc,
    cases: doc.cases,
    tensor: (tensorName) => {
      const found = tensors[tensorName];
      if (!found) throw new RangeError(`golden group ${name} has no tensor '${tensorName}'`);
      return { shape: [...found.shape], data: found.data as GoldenTensor['data'] };
    },
  };
}

async function enginesToTest(): Promise<string[]> {
  if (process.env.GOLDEN_ENGINES?.includes('webgpu')) process.env.TFJS_SSL_SOFTWARE_GPU ??= '1';
  const known = await availableEngines();
  const named = process.env.GOLDEN_ENGINES?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  for (const name of named ?? []) {
    const engine = known.find((candidate) => candidate.name === name);
    if (!engine)
      throw new RangeError(`GOLDEN_ENGINES names '${name}'; known are ${known.map((e) => e.name).join(', ')}`);
    if (!engine.available) throw new Error(`GOLDEN_ENGINES names '${name}', which cannot run here: ${engine.reason}`);
  }
  for (const { name, available, reason } of named ? [] : known) {
    if (!available) console.log(`golden: engine '${name}' is not tested: ${reason}`);
  }
  return named ?? known.filter(({ available }) => available).map(({ name }) => name);
}

/** Those that can train with a precision; says of each other one that it is not tested. */
async function withPrecision(engines: readonly string[], precision: Precision): Promise<string[]> {
  const able: string[] = [];
  for (const name of engines) {
    const { precisions, device } = await startEngine(name);
    if (precisions.includes(precision)) able.push(name);
    else console.log(`golden: engine '${name}' is not tested in ${precision} precision: ${device} does not have it`);
  }
  return able;
}

/**
 * Makes the tests of a golden group: one per case and engine, and none that is passed over in silence.
 *
 * @param name - the group.
 * @param treat - says for each case how it is treated; `undefined` (an op that nothing here knows) makes a failing test.
 * @param options - `engines: false` for groups without tensors of an engine; `precision` for tests of one other than float32, on the engines
 * that have it.
 */
export async function describeGolden(
  name: string,
  treat: (golden: GoldenCase) => Treatment | undefined,
  options: { engines?: boolean; precision?: Exclude<Precision, 'float32'> } = {},
): Promise<void> {
  if (!existsSync(`${root}/index.json`))
    throw new Error(`golden: there is no ${root}/index.json. Set GOLDEN_DIR to a golden set.`);
  const group = readGroup(name);
  if (!group) {
    console.log(`golden: the set in ${root} has no group '${name}'`);
    describe(`golden ${name}`, () => it('has cases', ({ skip }) => skip('the group is not in this set')));
    return;
  }
  const treated = group.cases.map((golden) => ({ golden, treatment: treat(golden) }));
  reportLeftOut(name, treated);
  const { precision } = options;
  const there = options.engines === false ? [null] : await enginesToTest();
  const engines = precision ? await withPrecision(there as string[], precision) : there;
  const title = `golden ${name}${precision ? ` in ${precision} precision` : ''}`;
  if (engines.length === 0) describe(title, () => it('has an engine', ({ skip }) => skip('no engine here has it')));
  for (const engine of engines) {
    describe(`${title}${engine ? ` on ${engine}` : ''}`, () => {
      beforeAll(async () => {
        if (engine === 'webgpu') console.log(`${title}: webgpu on ${(await startEngine(engine)).device}`);
      });
      beforeEach(async () => {
        tested = engine;
        if (engine) await startEngine(engine);
      });
      afterEach(disposeVariables);
      for (const { golden, treatment } of treated) {
        it(golden.id, ({ skip }) => {
          if (!treatment) throw unknownCase(golden);
          if ('run' in treatment) return treatment.run(group, engine ?? 'none');
          skip(treatment.cannotRun);
        });
      }
    });
  }
}

/** What a case ends with that no test knows. */
export const unknownCase = ({ id, op, formula }: GoldenCase): RangeError =>
  new RangeError(`golden: no test knows the ${op ? `op '${op}'` : `formula '${formula}'`} of ${id}.`);

function reportLeftOut(
  group: string,
  treated: ReadonlyArray<{ golden: GoldenCase; treatment: Treatment | undefined }>,
): void {
  const byReason = new Map<string, string[]>();
  for (const { golden, treatment } of treated) {
    if (!treatment || 'run' in treatment) continue;
    byReason.set(treatment.cannotRun, [...(byReason.get(treatment.cannotRun) ?? []), golden.id]);
  }
  for (const [reason, ids] of byReason) {
    console.log(`golden ${group}: ${ids.length} cases cannot be run here (${reason}): ${ids.join(', ')}`);
  }
}

/**
 * How many times the tolerance of an expectation an engine may need. The tolerances are ten times the error of one float32 implementation;
 * what other summation orders make of it is told in the output. Gradients of networks have none: see followed-gradients.ts.
 */
const allowances: Readonly<Record<string, number>> = { webgpu: 10 };

/** The engine whose tests run; null in groups without one. */
let tested: string | null = null;

let strict = false;

/** The allowance of the engine whose tests run. */
export const allowance = (): number => (strict ? 1 : (allowances[tested ?? ''] ?? 1));

/** Asserts something without an allowance. */
export function withoutAllowance(check: () => void): void {
  strict = true;
  try {
    check();
  } finally {
    strict = false;
  }
}

/** Says that a result needs more than the tolerance. */
export function tellWider(what: string, times: number): void {
  const { currentTestName } = expect.getState();
  console.log(`golden: wider than the tolerance: ${currentTestName}: ${what} needs ${times.toFixed(1)} times as much`);
}

/** Asserts that a result meets an expectation: |got - expected| <= atol + rtol |expected| + row_rtol max|expected row|. */
export function expectGolden(
  golden: GoldenGroup,
  what: string,
  got: number | ArrayLike<number>,
  expectation: Expectation,
): void {
  const values = typeof got === 'number' ? [got] : got;
  const tensor = expectation.tensor === undefined ? null : golden.tensor(expectation.tensor);
  const expected = tensor ? tensor.data : [expectation.value as number];
  expect(values.length, `${what}: number of values`).toBe(expected.length);
  const width = tensor?.shape.at(-1) ?? 1;
  const allowed = allowance();
  let needed = 1;
  for (let row = 0; row * width < expected.length; row++) {
    const expectedRow = Array.prototype.slice.call(expected, row * width, (row + 1) * width) as number[];
    const gotRow = Array.prototype.slice.call(values, row * width, (row + 1) * width) as number[];
    const largest = expectedRow.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const atol = (expectation.atol ?? 0) + (expectation.row_rtol ?? 0) * largest;
    const rtol = expectation.rtol ?? 0;
    const worst = worstDeviation(gotRow, expectedRow, { atol, rtol });
    if (worst.excess > 0) {
      const times = Math.abs(worst.got - worst.expected) / (atol + rtol * Math.abs(worst.expected));
      if (times <= allowed) {
        needed = Math.max(needed, times);
        continue;
      }
      expect.fail(
        `${what}: value [${row}, ${worst.index}] is ${worst.got}, expected ${worst.expected} within ${atol} + ${rtol} * |expected|`,
      );
    }
  }
  if (needed > 1) tellWider(what, needed);
}
