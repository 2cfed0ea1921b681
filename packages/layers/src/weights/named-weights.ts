import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';

/** What {@link namedWeights} returns. */
export interface NamedWeights {
  /** What an optimizer changes. */
  readonly parameters: Record<string, tf.Variable>;
  /** What belongs to the model's state beside them: running statistics, and the weights of frozen layers. */
  readonly buffers: Record<string, tf.Variable>;
}

/**
 * The variables of a model under PyTorch's names.
 *
 * A name is the layer's name, a dot and the weight's: `layer1.0.bn1.running_mean`. Within a model inside the model, the inner model's name
 * and a dot come first: `backbone.conv1.weight`. Layers of TensorFlow.js itself keep the names of their weights (`dense_1.kernel`). Unlike
 * the names of `tf.Variable`s, which are unique in a process, these are the same for every copy of a model.
 *
 * @param model - any model.
 * @returns the variables themselves, not copies, in order of the layers' creation; the model still owns them.
 * @throws RangeError where two weights have one name.
 *
 * @example
 * ```ts
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { namedWeights } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await useEngine('auto');
 * const { parameters, buffers } = namedWeights(resnet18({ width: 8 }));
 * console.log(parameters['layer1.0.conv1.weight']?.shape); // [3, 3, 8, 8]
 * console.log(buffers['bn1.running_var']?.shape); // [8]
 * ```
 *
 * @see `torch.nn.Module.named_parameters`, `torch.nn.Module.named_buffers`.
 */
export function namedWeights(model: LayersModel): NamedWeights {
  const parameters: Record<string, tf.Variable> = {};
  const buffers: Record<string, tf.Variable> = {};
  for (const { name, variable, trained } of listWeights(model)) {
    if (name in parameters || name in buffers) {
      throw new RangeError(`namedWeights: names must be unique, got '${name}' twice. Give the layers different names.`);
    }
    (trained ? parameters : buffers)[name] = variable;
  }
  return { parameters, buffers };
}

interface ListedWeight {
  readonly name: string;
  readonly variable: tf.Variable;
  readonly trained: boolean;
}

/** Every weight, in order of the layers' creation: of PyTorch's modules, that of the state dict. */
function* listWeights(model: LayersModel, prefix = ''): Generator<ListedWeight> {
  for (const layer of [...model.layers].sort((a, b) => a.id - b.id)) {
    const name = prefix + layer.name;
    if (isModel(layer)) {
      yield* listWeights(layer, `${name}.`);
      continue;
    }
    for (const weight of layer.weights) {
      const ownName = weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
      const variable = weight.read() as tf.Variable;
      yield { name: `${name}.${ownName}`, variable, trained: layer.trainable && variable.trainable };
    }
  }
}

function isModel(layer: layers.Layer): layer is LayersModel {
  return 'layers' in layer;
}
