import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { encodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';
import { namedWeights } from './named-weights.ts';
import { torchShape, toTorchLayout } from './torch-layout.ts';

/**
 * The weights of a model as the bytes of a safetensors file with PyTorch's names and layouts.
 *
 * Convolution kernels are written as OIHW, linear weights as [out, in]; beside the running statistics of each batch norm there is a
 * `num_batches_tracked` of 0, so that Python's `model.load_state_dict(safetensors.torch.load_file(path))` is content.
 *
 * @param model - any model; not changed.
 * @returns the bytes; `saveWeights` writes them to a file.
 * @throws RangeError where two weights have one name.
 *
 * @example
 * ```ts
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { encodeWeights, loadWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await useEngine('auto');
 * const bytes = encodeWeights(resnet18({ width: 8, seed: 1 }));
 * await loadWeights(resnet18({ width: 8, seed: 2 }), bytes); // now a copy of the first
 * ```
 */
export function encodeWeights(model: LayersModel): Uint8Array {
  const read = (name: string, variable: tf.Variable): Float32Array => {
    const weight = toTorchLayout(name, variable);
    const values = weight.dataSync<'float32'>();
    weight.dispose();
    return values;
  };
  return encode(Object.entries(allWeights(model)).map(([name, variable]) => [name, variable, read(name, variable)]));
}

/** The same for backends that read their memory asynchronously. */
export async function encodeWeightsAsync(model: LayersModel): Promise<Uint8Array> {
  const read = async (name: string, variable: tf.Variable): Promise<[string, tf.Variable, Float32Array]> => {
    const weight = toTorchLayout(name, variable);
    const values = await weight.data<'float32'>();
    weight.dispose();
    return [name, variable, values];
  };
  return encode(await Promise.all(Object.entries(allWeights(model)).map(([name, variable]) => read(name, variable))));
}

function allWeights(model: LayersModel): Record<string, tf.Variable> {
  const { parameters, buffers } = namedWeights(model);
  return { ...parameters, ...buffers };
}

function encode(weights: ReadonlyArray<[string, tf.Variable, Float32Array]>): Uint8Array {
  const tensors: Record<string, SafeTensor> = {};
  for (const [name, variable, data] of weights) {
    tensors[name] = { dtype: 'F32', shape: torchShape(name, variable.shape), data };
    if (name.endsWith('.running_var')) {
      const counter = name.replace(/running_var$/, 'num_batches_tracked');
      tensors[counter] = { dtype: 'I64', shape: [], data: new BigInt64Array(1) };
    }
  }
  return encodeSafetensors(tensors, { format: 'pt' });
}
