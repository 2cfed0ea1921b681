import type * as tf from '@tensorflow/tfjs-core';
import { encodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';
import { version } from '../version.ts';
import { type Models, modelsByPrefix, namedWeights } from './named-weights.ts';
import { torchShape, toTorchLayout } from './torch-layout.ts';

/**
 * Encodes the weights of a model as a safetensors file with PyTorch's names and layouts.
 *
 * Convolution kernels are written as OIHW, linear weights as [out, in]. Beside the running statistics of each batch norm there is a
 * `num_batches_tracked` of 0, which Python's `model.load_state_dict(safetensors.torch.load_file(path))` expects.
 *
 * The file's metadata has `format: 'pt'`, the version that wrote it, and the model's own metadata
 * (`model.setUserDefinedMetadata({ commit: '1a2b3c' })`), as strings. Encoders and heads of this library store their architecture and sizes
 * there, so that `loadEncoder` and `loadHead` can build them again.
 *
 * @param models - a model, or several by name as in `namedWeights({ encoder, head })`; not changed.
 * @returns the bytes; `saveWeights` writes them to a file.
 * @throws RangeError if two weights have the same name.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const bytes = await encodeWeights(resnet18({ width: 8, seed: 1 }));
 * await loadWeights(resnet18({ width: 8, seed: 2 }), bytes); // now a copy of the first
 * ```
 */
export async function encodeWeights(models: Models): Promise<Uint8Array> {
  const { parameters, buffers } = namedWeights(models);
  const read = async ([name, variable]: [string, tf.Variable]): Promise<[string, SafeTensor]> => {
    const weight = toTorchLayout(name, variable);
    const data = await weight.data<'float32'>();
    weight.dispose();
    return [name, { dtype: 'F32', shape: torchShape(name, variable.shape), data }];
  };
  const tensors: Record<string, SafeTensor> = {};
  for (const [name, tensor] of await Promise.all(Object.entries({ ...parameters, ...buffers }).map(read))) {
    tensors[name] = tensor;
    if (name.endsWith('.running_var')) {
      const counter = name.replace(/running_var$/, 'num_batches_tracked');
      tensors[counter] = { dtype: 'I64', shape: [], data: new BigInt64Array(1) };
    }
  }
  return encodeSafetensors(tensors, { format: 'pt', writer: `tfjs-ssl ${version}`, ...metadataOf(models) });
}

/** The models' user-defined metadata as strings. */
function metadataOf(models: Models): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [prefix, model] of modelsByPrefix(models, 'encodeWeights')) {
    for (const [key, value] of Object.entries(model.getUserDefinedMetadata() ?? {})) {
      metadata[prefix + key] = typeof value === 'string' ? value : JSON.stringify(value);
    }
  }
  return metadata;
}
