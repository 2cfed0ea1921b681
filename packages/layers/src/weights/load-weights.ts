import * as tf from '@tensorflow/tfjs-core';
import { neededNodeModule } from '@tfjs-ssl/files';
import { decodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';
import { type Models, namedWeights } from './named-weights.ts';
import { fromTorchLayout, torchShape } from './torch-layout.ts';

/** Choices for {@link loadWeights}. */
export interface LoadWeightsOptions {
  /** Whether file and model must have exactly the same names. Default true. */
  readonly strict?: boolean;
  /** Only the names that start with it are used, without it: `'backbone.'`, `'module.'`. Default: all names as they are. */
  readonly prefix?: string;
}

/** What {@link loadWeights} returns. */
export interface LoadedWeights {
  /** Names that were loaded. */
  readonly loaded: string[];
  /** Names of the model that the file lacks; they keep their values. */
  readonly missing: string[];
  /** Names of the file that the model lacks. */
  readonly unexpected: string[];
}

/**
 * Reads weights from a safetensors file with PyTorch's names and layouts into a model.
 *
 * All is checked before the first weight changes. `num_batches_tracked` is ignored: it matters in PyTorch only without a momentum.
 *
 * @param models - a model, or several by name as in `namedWeights({ encoder, head })`, which get the values; their running statistics, too.
 * @param source - path of a file (Node), or the bytes of one (anywhere).
 * @param options - how names are compared.
 * @returns which names were loaded, and which had no partner (none where strict).
 * @throws RangeError where names (if strict) or shapes differ, with all of them; where nothing fits; where the file is damaged.
 * @throws Error where the file cannot be read.
 *
 * @example
 * ```ts
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await useEngine('auto');
 * const bytes = await encodeWeights(resnet18({ width: 8 })); // or a path: 'model.safetensors'
 * const { loaded } = await loadWeights(resnet18({ width: 8 }), bytes);
 * console.log(loaded.length); // 100
 * ```
 *
 * @see `torch.nn.Module.load_state_dict`.
 */
export async function loadWeights(
  models: Models,
  source: string | Uint8Array,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const { strict = true, prefix = '' } = options;
  const { parameters, buffers } = namedWeights(models);
  const variables = { ...parameters, ...buffers };
  const found = select(decodeSafetensors(await readBytes(source)).tensors, prefix);

  const names = Object.keys(variables);
  const result: LoadedWeights = {
    loaded: names.filter((name) => found.has(name)),
    missing: names.filter((name) => !found.has(name)),
    unexpected: [...found.keys()].filter((name) => !(name in variables)),
  };
  check(variables, found, result, { strict, prefix });
  tf.tidy(() => {
    for (const name of result.loaded) {
      const { data, shape } = found.get(name) as SafeTensor;
      const values = Float32Array.from(data as Float32Array); // a copy: the bytes stay the caller's
      (variables[name] as tf.Variable).assign(fromTorchLayout(name, tf.tensor(values, [...shape], 'float32')));
    }
  });
  return result;
}

async function readBytes(source: string | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const need = "loadWeights: a path needs Node's file system, which is not here. Pass or take bytes instead.";
  const { readFile } = neededNodeModule('node:fs/promises', need);
  try {
    return await readFile(source);
  } catch (error) {
    throw new Error(`loadWeights: cannot read ${source}: ${(error as Error).message}. Check the path.`, {
      cause: error,
    });
  }
}

function select(tensors: Readonly<Record<string, SafeTensor>>, prefix: string): Map<string, SafeTensor> {
  return new Map(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix) && !name.endsWith('.num_batches_tracked'))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

function check(
  variables: Readonly<Record<string, tf.Variable>>,
  found: ReadonlyMap<string, SafeTensor>,
  { loaded, missing, unexpected }: LoadedWeights,
  { strict, prefix }: Required<LoadWeightsOptions>,
): void {
  const differing = loaded.filter((name) => !fits(name, variables[name] as tf.Variable, found.get(name) as SafeTensor));
  const problems: string[] = [];
  if (found.size === 0) problems.push(`no weight of the file has a name that starts with '${prefix}'`);
  if (differing.length > 0) {
    problems.push(
      list(differing.map((name) => describe(name, variables[name] as tf.Variable, found.get(name) as SafeTensor))),
    );
  }
  if (strict && missing.length > 0) problems.push(`the file lacks ${list(missing)}`);
  if (strict && unexpected.length > 0) problems.push(`the model lacks ${list(unexpected)}`);
  if (!strict && loaded.length === 0 && found.size > 0) {
    problems.push(`no name of the file is one of the model's; it has ${list(unexpected)}`);
  }
  if (problems.length === 0) return;
  const advice =
    strict && differing.length === 0 && loaded.length > 0 ? ', or pass strict: false to load what fits' : '';
  throw new RangeError(
    `loadWeights: the file must fit the model, got differences: ${problems.join('; ')}. Check architecture and prefix${advice}.`,
  );
}

function fits(name: string, variable: tf.Variable, { dtype, shape }: SafeTensor): boolean {
  return (
    (dtype === 'F32' || dtype === 'F64') && tf.util.arraysEqual(shape as number[], torchShape(name, variable.shape))
  );
}

function describe(name: string, variable: tf.Variable, { dtype, shape }: SafeTensor): string {
  return `${name} is F32 [${torchShape(name, variable.shape)}] in the model and ${dtype} [${shape}] in the file`;
}

/** The first few names and the number of the others. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
