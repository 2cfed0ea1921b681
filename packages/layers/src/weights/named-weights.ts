import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { argumentError, showKind } from '@tfjs-ssl/checks';

/** One model, or several by the names that their weights begin with. */
export type Models = LayersModel | Readonly<Record<string, LayersModel>>;

/** What {@link namedWeights} returns. */
export interface NamedWeights {
  /** What an optimizer trains. */
  readonly parameters: Record<string, tf.Variable>;
  /** The rest of the model's state: running statistics, and the weights of frozen layers. */
  readonly buffers: Record<string, tf.Variable>;
}

/**
 * The variables of a model, or of several, under PyTorch's names.
 *
 * A name is the layer's name, a dot and the weight's: `layer1.0.bn1.running_mean`. Within a model inside the model, the inner model's name
 * and a dot come first: `backbone.conv1.weight`. For several models, `namedWeights({ encoder, head })`, the key and a dot come first:
 * `encoder.conv1.weight`, `head.0.weight`. Layers of TensorFlow.js itself keep the names of their weights (`dense_1.kernel`). Unlike the
 * names of `tf.Variable`s, which are unique in a process, these are the same for every copy of a model.
 *
 * Weights of a layer that is not `trainable`, or lies in a model that is not, are buffers.
 *
 * @param models - a model, or several by name. Do not spread the weights of two models into one object: equal
 * names, such as the `0.weight` of every head, replace one another, and the first model's weights are not trained.
 * @returns the variables themselves, not copies, in order of the layers' creation; the models still own them.
 * @throws RangeError if two weights have the same name, or there is no model.
 * @throws TypeError if a value is not a model.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { namedWeights } from '@tfjs-ssl/layers';
 * import { mlpHead } from '@tfjs-ssl/projection-heads';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const encoder = resnet18({ width: 8 });
 * const head = mlpHead({ inputSize: 64, hiddenSizes: [32], outputSize: 16 });
 * const { parameters, buffers } = namedWeights({ encoder, head });
 * console.log(parameters['encoder.layer1.0.conv1.weight']?.shape); // [3, 3, 8, 8]
 * console.log(parameters['head.0.weight']?.shape); // [64, 32]
 * console.log(buffers['encoder.bn1.running_var']?.shape); // [8]
 * ```
 *
 * @see `torch.nn.Module.named_parameters`, `torch.nn.Module.named_buffers`.
 */
export function namedWeights(models: Models): NamedWeights {
  const parameters: Record<string, tf.Variable> = {};
  const buffers: Record<string, tf.Variable> = {};
  for (const [prefix, model] of modelsByPrefix(models, 'namedWeights')) {
    for (const { name, variable, trained } of listWeights(model, prefix, true)) {
      if (name in parameters || name in buffers) {
        throw argumentError({
          fn: 'namedWeights',
          argument: 'models',
          required: 'have one name for each weight',
          got: name,
          shown: `'${name}' twice`,
          advice: 'Give the layers different names.',
        });
      }
      (trained ? parameters : buffers)[name] = variable;
    }
  }
  return { parameters, buffers };
}

/** Each model with what its weights' names begin with. */
export function modelsByPrefix(models: Models, caller: string): Array<[prefix: string, model: LayersModel]> {
  if (isModel(models)) return [['', models]];
  const entries = Object.entries(models ?? {});
  if (entries.length === 0) {
    throw argumentError({
      fn: caller,
      argument: 'models',
      required: 'be a model or an object of models',
      got: models,
      shown: 'none',
      advice: 'Pass a model.',
    });
  }
  for (const [key, model] of entries) {
    if (!isModel(model)) {
      throw argumentError({
        kind: 'type',
        fn: caller,
        argument: `models.${key}`,
        required: 'be a LayersModel',
        got: model,
        shown: showKind(model),
        advice: 'Pass models by name: { encoder, head }.',
      });
    }
  }
  return entries.map(([key, model]) => [`${key}.`, model]);
}

interface ListedWeight {
  readonly name: string;
  readonly variable: tf.Variable;
  readonly trained: boolean;
}

/** Every weight, in order of the layers' creation: of PyTorch's modules, that of the state dict. */
function* listWeights(model: LayersModel, prefix: string, outerTrains: boolean): Generator<ListedWeight> {
  const modelTrains = outerTrains && model.trainable;
  for (const layer of [...model.layers].sort((a, b) => a.id - b.id)) {
    const name = prefix + layer.name;
    if (isModel(layer)) {
      yield* listWeights(layer, `${name}.`, modelTrains);
      continue;
    }
    for (const weight of layer.weights) {
      const ownName = weight.originalName.slice(weight.originalName.lastIndexOf('/') + 1);
      const variable = weight.read() as tf.Variable;
      yield { name: `${name}.${ownName}`, variable, trained: modelTrains && layer.trainable && variable.trainable };
    }
  }
}

/** Whether a value is a model of tf.layers. */
export function isModel(value: layers.Layer | Models | null | undefined): value is LayersModel {
  return Array.isArray((value as LayersModel | null | undefined)?.layers);
}
