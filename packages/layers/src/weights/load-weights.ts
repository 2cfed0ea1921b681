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
  /** Loads only the file's names that begin with this, and removes it from them: `'backbone.'`, `'module.encoder_q.'`. Default: all names as they are. */
  readonly prefix?: string;
  /**
   * Maps the file's names (without the prefix) to the model's: a function, which returns null to leave a weight out, or an object of name
   * beginnings, `{ '0.': 'conv1.', '1.': 'bn1.' }`, which leaves out names with other beginnings. Default: as they are.
   */
  readonly names?: WeightNames;
}

/**
 * Reads weights from a safetensors file with PyTorch's names and layouts into a model.
 *
 * Everything is checked before the first weight changes. `num_batches_tracked` is ignored: PyTorch uses it only without a momentum.
 *
 * @param models - a model, or several by name as in `namedWeights({ encoder, head })`. They get the values, including running statistics.
 * @param source - path of a file (Node), the bytes of a file (anywhere), or a result of `readWeights`.
 * @param options - how names are matched.
 * @returns the names that were loaded, and those without a counterpart (none if strict).
 * @throws RangeError if names (if strict) or shapes differ, with the first of them and the prefix or names that would fit; if nothing
 * fits; if the file is damaged or of another kind.
 * @throws Error if the file cannot be read.
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
