import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { SafeTensor } from '@tfjs-ssl/safetensors';
import { proposeNames } from './propose-names.ts';
import { torchShape } from './torch-layout.ts';

/** What {@link loadWeights} returns. */
export interface LoadedWeights {
  /** Names that were loaded. */
  readonly loaded: string[];
  /** Names of the model that the file lacks; they keep their values. */
  readonly missing: string[];
  /** Names of the file that the model lacks. */
  readonly unexpected: string[];
}

/** What {@link checkWeights} compares. */
export interface WeightsToCheck {
  readonly variables: Readonly<Record<string, tf.Variable>>;
  /** Tensors by names of the model. */
  readonly found: ReadonlyMap<string, SafeTensor>;
  readonly result: LoadedWeights;
  readonly strict: boolean;
  /** Names as the file has them. */
  readonly fileNames: readonly string[];
}

/** @throws RangeError if weights do not fit a model, with what differs and what could be done. */
export function checkWeights({ variables, found, result, strict, fileNames }: WeightsToCheck): void {
  const { loaded, missing, unexpected } = result;
  const differing = loaded
    .map((name) => compare(name, variables[name] as tf.Variable, found.get(name) as SafeTensor))
    .filter((difference) => difference !== null);
  const problems: string[] = [];
  if (differing.length > 0) {
    problems.push(
      otherWidth(differing) ??
        list(
          differing.map(({ text }) => text),
          3,
        ),
    );
  }
  if (loaded.length === 0) problems.push(`none of the model's names is in the file, which has ${list(fileNames, 4)}`);
  else if (strict) {
    if (missing.length > 0) problems.push(`the file lacks ${list(missing)}`);
    if (unexpected.length > 0) problems.push(`the model lacks ${list(unexpected)}`);
  }
  if (problems.length === 0) return;
  const proposals = missing.length > 0 ? proposeNames(Object.keys(variables), fileNames) : [];
  const advice =
    proposals.length > 0
      ? `Pass ${proposals.join(', or ')}.`
      : `Check architecture and names${differing.length === 0 && loaded.length > 0 ? ', or pass strict: false to load what fits' : ''}.`;
  throw argumentError({
    fn: 'loadWeights',
    argument: 'source',
    required: 'fit the model',
    got: problems,
    shown: `differences: ${problems.join('; ')}`,
    advice,
  });
}

interface Difference {
  readonly name: string;
  readonly expected: readonly number[];
  readonly got: readonly number[];
  readonly text: string;
}

function compare(name: string, variable: tf.Variable, { dtype, shape }: SafeTensor): Difference | null {
  const expected = torchShape(name, variable.shape);
  const float = dtype === 'F32' || dtype === 'F64';
  if (float && tf.util.arraysEqual([...shape], expected)) return null;
  const text = `${name} is F32 [${expected}] in the model and ${dtype} [${shape}] in the file`;
  return { name, expected, got: float ? shape : [], text };
}

/** One line for weights whose axes all have the model's lengths, or those in one proportion. */
function otherWidth(differing: readonly Difference[]): string | null {
  const [first] = differing as [Difference];
  const [wanted, there] = [first.expected[0], first.got[0]] as [number, number];
  const proportional = differing.every(
    ({ expected, got }) =>
      got.length === expected.length &&
      got.every((length, axis) => {
        const own = expected[axis] as number;
        return length === own || length * wanted === own * there;
      }),
  );
  if (!proportional || differing.length === 1 || wanted === there) return null;
  const more = differing.length - 1;
  return `width ${wanted} expected, file has ${there} (outputs of ${first.name}; ${more} more weights differ in that proportion)`;
}

/** The first few names and the number of the others. */
function list(names: readonly string[], shown = 8): string {
  const first = names.slice(0, shown).join(', ');
  return names.length > shown ? `${first} and ${names.length - shown} more` : first;
}
