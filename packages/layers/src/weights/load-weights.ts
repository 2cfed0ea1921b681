import * as tf from '@tensorflow/tfjs-core';
import type { SafeTensor } from '@tfjs-ssl/safetensors';
import { checkWeights, type LoadedWeights } from './check-weights.ts';
import { type Models, namedWeights } from './named-weights.ts';
import { readWeights, type WeightsSource } from './read-weights.ts';
import { renameWeights, type WeightNames } from './rename-weights.ts';
import { fromTorchLayout } from './torch-layout.ts';

/** Choices for {@link loadWeights}. */
export interface LoadWeightsOptions {
  /** Whether file and model must have exactly the same names. Default true. */
  readonly strict?: boolean;
  /** Only the file's names that begin with it are used, without it: `'backbone.'`, `'module.encoder_q.'`. Default: all names as they are. */
  readonly prefix?: string;
  /**
   * How the file's names (without the prefix) become the model's. A function, which returns null to leave a weight out; or beginnings of names,
   * `{ '0.': 'conv1.', '1.': 'bn1.' }`, where names that begin otherwise are left out. Default: as they are.
   */
  readonly names?: WeightNames;
}

/**
 * Reads weights from a safetensors file with PyTorch's names and layouts into a model.
 *
 * All is checked before the first weight changes. `num_batches_tracked` is ignored: it matters in PyTorch only without a momentum.
 *
 * @param models - a model, or several by name as in `namedWeights({ encoder, head })`, which get the values; their running statistics, too.
 * @param source - path of a file (Node), the bytes of one (anywhere), or what `readWeights` has read.
 * @param options - how names are compared.
 * @returns which names were loaded, and which had no partner (none where strict).
 * @throws RangeError where names (if strict) or shapes differ, with the first of them and the prefix or names that would fit; where nothing
 * fits; where the file is damaged or of another kind.
 * @throws Error where the file cannot be read.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const bytes = await encodeWeights(resnet18({ width: 8 })); // or a path: 'model.safetensors'
 * const { loaded } = await loadWeights(resnet18({ width: 8 }), bytes);
 * console.log(loaded.length); // 100
 * ```
 *
 * @see `torch.nn.Module.load_state_dict`.
 */
export async function loadWeights(
  models: Models,
  source: WeightsSource,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const { strict = true, prefix = '', names: renaming = (name) => name } = options;
  const { parameters, buffers } = namedWeights(models);
  const variables = { ...parameters, ...buffers };
  const { tensors } = await readWeights(source, { caller: 'loadWeights' });
  const found = renameWeights(tensors, prefix, renaming);

  const names = Object.keys(variables);
  const result: LoadedWeights = {
    loaded: names.filter((name) => found.has(name)),
    missing: names.filter((name) => !found.has(name)),
    unexpected: [...found.keys()].filter((name) => !Object.hasOwn(variables, name)),
  };
  checkWeights({ variables, found, result, strict, fileNames: Object.keys(tensors) });
  tf.tidy(() => {
    for (const name of result.loaded) {
      const { data, shape } = found.get(name) as SafeTensor;
      const values = Float32Array.from(data as Float32Array); // a copy: the bytes stay the caller's
      (variables[name] as tf.Variable).assign(fromTorchLayout(name, tf.tensor(values, [...shape], 'float32')));
    }
  });
  return result;
}
