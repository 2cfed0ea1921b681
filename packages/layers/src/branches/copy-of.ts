import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { argumentError } from '@tfjs-ssl/checks';
import { typedModel } from '../typed-model.ts';
import { isModel, namedWeights } from '../weights/named-weights.ts';

/** The class of a model, which builds one of a configuration; with zeros as first weights where that is asked for. */
interface ModelClass {
  fromConfig(cls: unknown, config: object, customObjects: object, zeros: boolean): LayersModel;
}

/**
 * Copies a model: the same architecture and names, its own variables, equal values.
 *
 * Later changes of one do not reach the other. Layers and weights that do not train in the model do not train in the copy. Metadata are
 * copied; an optimizer that the model was compiled with is not.
 *
 * @param model - a model whose layers TensorFlow.js can save: this library's, its own, and your registered ones.
 * @returns a model of the same type, which owns its variables: dispose it.
 * @throws TypeError if `model` is not a LayersModel.
 * @throws RangeError if two weights have the same name.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { copyOf } from '@tfjs-ssl/layers';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const encoder = resnet18({ inputShape: [32, 32, 3], width: 8 });
 * const target = copyOf(encoder);
 * const images = tf.randomUniform<tf.Rank.R4>([4, 32, 32, 3]);
 * const difference = tf.sub(target.predict(images), encoder.predict(images));
 * console.log(await tf.max(tf.abs(difference)).data()); // 0
 * ```
 *
 * @see `copy.deepcopy` of a `torch.nn.Module`.
 */
export function copyOf<Model extends LayersModel>(model: Model): Model {
  if (!isModel(model)) {
    throw argumentError({
      kind: 'type',
      fn: 'copyOf',
      argument: 'model',
      required: 'be a LayersModel',
      got: model,
      advice: 'Pass one model; movingAverage takes several by name.',
    });
  }
  const { parameters, buffers } = namedWeights(model);
  const modelClass = model.constructor as unknown as ModelClass;
  const copy = modelClass.fromConfig(modelClass, model.getConfig(), {}, true);
  const own = namedWeights(copy);
  const ownVariables = { ...own.parameters, ...own.buffers };
  freezeAlike(model, copy);
  tf.tidy(() => {
    for (const [name, variable] of Object.entries({ ...parameters, ...buffers })) {
      const copied = ownVariables[name] as tf.Variable;
      copied.assign(tf.clone(variable));
      copied.trainable = variable.trainable;
    }
  });
  const metadata = model.getUserDefinedMetadata();
  if (metadata) copy.setUserDefinedMetadata(metadata);
  const typed = Object.hasOwn(model, 'assertInputCompatibility');
  return (typed ? typedModel(copy, model.outputs[0]?.shape.length as 2) : copy) as Model;
}

/** Freezes in a copy what is frozen in its original: of models and layers, a configuration keeps that of layers alone. */
function freezeAlike(from: layers.Layer, to: layers.Layer): void {
  if (isModel(from) && isModel(to)) {
    from.layers.forEach((layer, i) => {
      freezeAlike(layer, to.layers[i] as layers.Layer);
    });
  }
  if (!from.trainable) to.trainable = false;
}
