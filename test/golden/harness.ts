import '@tensorflow/tfjs-layers';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { availableEngines, useEngine } from '@tfjs-ssl/engine';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { disposeVariables, type Tolerance, worstDeviation } from '@tfjs-ssl/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

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

/** How one case is treated: run, or listed as what the library does not have yet, or as what cannot be run on this machine. */
export type Treatment =
  | { readonly run: (golden: GoldenGroup, engine: string) => void | Promise<void> }
  | { readonly later: string }
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

/**
 * Makes the tests of a golden group: one per case and engine, and none that is passed over in silence.
 *
 * @param name - the group.
 * @param treat - says for each case how it is treated; `undefined` (an op that nothing here knows) makes a failing test.
 * @param options - `engines: false` for groups without tensors of an engine.
 */
export async function describeGolden(
  name: string,
  treat: (golden: GoldenCase) => Treatment | undefined,
  options: { engines?: boolean } = {},
): Promise<void> {
  if (!existsSync(`${root}/index.json`))
    throw new Error(`golden: there is no ${root}/index.json. Set GOLDEN_DIR to a golden set.`);
  const group = readGroup(name);
  if (!group) {
    console.log(`golden: the set in ${root} has no group '${name}'`);
    describe(`golden ${name}`, () => it.skip('is not in this set'));
    return;
  }
  const treated = group.cases.map((golden) => ({ golden, treatment: treat(golden) }));
  report(name, 'not implemented yet', treated, 'later');
  report(name, 'cannot be run here', treated, 'cannotRun');
  const engines = options.engines === false ? [null] : await enginesToTest();
  for (const engine of engines) {
    describe(`golden ${name}${engine ? ` on ${engine}` : ''}`, () => {
      beforeEach(async () => {
        if (engine) await useEngine(engine);
      });
      afterEach(disposeVariables);
      for (const { golden, treatment } of treated) {
        if (!treatment) {
          it(golden.id, () => expect.fail(`no test knows op '${golden.op ?? golden.formula}'`));
        } else if ('run' in treatment) {
          it(golden.id, () => treatment.run(group, engine ?? 'none'));
        } else {
          it.skip(`${golden.id} (${'later' in treatment ? treatment.later : treatment.cannotRun})`);
        }
      }
    });
  }
}

function report(
  group: string,
  what: string,
  treated: ReadonlyArray<{ golden: GoldenCase; treatment: Treatment | undefined }>,
  kind: 'later' | 'cannotRun',
): void {
  const byReason = new Map<string, string[]>();
  for (const { golden, treatment } of treated) {
    if (!treatment || !(kind in treatment)) continue;
    const reason = (treatment as Record<string, string>)[kind] as string;
    byReason.set(reason, [...(byReason.get(reason) ?? []), golden.id]);
  }
  for (const [reason, ids] of byReason) {
    console.log(`golden ${group}: ${ids.length} cases ${what} (${reason}): ${ids.join(', ')}`);
  }
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
  for (let row = 0; row * width < expected.length; row++) {
    const expectedRow = Array.prototype.slice.call(expected, row * width, (row + 1) * width) as number[];
    const gotRow = Array.prototype.slice.call(values, row * width, (row + 1) * width) as number[];
    const largest = expectedRow.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const atol = (expectation.atol ?? 0) + (expectation.row_rtol ?? 0) * largest;
    const worst = worstDeviation(gotRow, expectedRow, { atol, rtol: expectation.rtol ?? 0 });
    if (worst.excess > 0) {
      expect.fail(
        `${what}: value [${row}, ${worst.index}] is ${worst.got}, expected ${worst.expected} within ${atol} + ${expectation.rtol ?? 0} * |expected|`,
      );
    }
  }
}
