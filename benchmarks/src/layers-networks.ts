import * as tf from '@tensorflow/tfjs-core';
import * as stock from '@tensorflow/tfjs-layers';
import { batchNorm, conv2d, globalAveragePool, linear, maxPool2d } from '@tfjs-ssl/layers';
import { adam, sgd } from '@tfjs-ssl/trainer';

/** Optimizers that both networks can be trained with. */
export const optimizers = ['adam', 'sgd', 'momentum'] as const;
type OptimizerName = (typeof optimizers)[number];

/** Size of a step. */
export interface LayersNetworksOptions {
  /** Images of a step, 32 x 32 pixels. */
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
}

/** A network with its optimizer and a batch, ready to train. */
export interface LayersNetwork {
  /** Number of trained values. */
  readonly parameters: number;
  /** Does one step and returns its loss. */
  step(): Promise<number>;
  dispose(): void;
}

const CLASSES = 10;
const SIZE = 32;
const LEARNING_RATE = 1e-3;
const MOMENTUM = 0.9;

/**
 * One network twice: as anyone writes it with `tf.layers` and trains it with `trainOnBatch`, and of our blocks with our optimizers.
 *
 * Convolutions, a depthwise one, batch norm, both kinds of pooling, dropout, dense, softmax cross-entropy: layers that we have no block for
 * (depthwise, average pooling, dropout) are the stock ones in both.
 */
export function layersNetworks(options: LayersNetworksOptions): { stock: LayersNetwork; ours: LayersNetwork } {
  const images = tf.randomUniform<tf.Rank.R4>([options.batchSize, SIZE, SIZE, 3], 0, 1, 'float32', 1);
  const labels = tf.tidy(() => {
    const classes = tf.tensor1d(Int32Array.from({ length: options.batchSize }, (_, i) => i % CLASSES));
    return tf.cast(tf.oneHot(tf.cast(classes, 'int32'), CLASSES), 'float32') as tf.Tensor2D;
  });
  return { stock: stockNetwork(images, labels, options), ours: ourNetwork(images, labels, options) };
}

function stockNetwork(images: tf.Tensor, labels: tf.Tensor, { optimizer }: LayersNetworksOptions): LayersNetwork {
  const { layers } = stock;
  const model = stock.sequential();
  const same = { padding: 'same', useBias: false } as const;
  const normalise = () => {
    model.add(layers.batchNormalization());
    model.add(layers.reLU());
  };
  model.add(layers.conv2d({ inputShape: [SIZE, SIZE, 3], filters: 32, kernelSize: 3, ...same }));
  normalise();
  model.add(layers.depthwiseConv2d({ kernelSize: 3, ...same }));
  normalise();
  model.add(layers.conv2d({ filters: 64, kernelSize: 1, ...same }));
  normalise();
  model.add(layers.averagePooling2d({ poolSize: 2 }));
  model.add(layers.conv2d({ filters: 64, kernelSize: 3, ...same }));
  normalise();
  model.add(layers.maxPooling2d({ poolSize: 2 }));
  model.add(layers.conv2d({ filters: 128, kernelSize: 3, ...same }));
  normalise();
  model.add(layers.globalAveragePooling2d({}));
  model.add(layers.dropout({ rate: 0.2, seed: 1 }));
  model.add(layers.dense({ units: CLASSES, activation: 'softmax' }));
  const rules = {
    adam: () => tf.train.adam(LEARNING_RATE),
    sgd: () => tf.train.sgd(LEARNING_RATE),
    momentum: () => tf.train.momentum(LEARNING_RATE, MOMENTUM),
  };
  model.compile({ optimizer: rules[optimizer](), loss: 'categoricalCrossentropy' });
  return {
    parameters: model.trainableWeights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape as number[]), 0),
    step: async () => (await model.trainOnBatch(images, labels)) as number,
    dispose: () => model.dispose(),
  };
}

function ourNetwork(images: tf.Tensor, labels: tf.Tensor, { optimizer }: LayersNetworksOptions): LayersNetwork {
  const { layers } = stock;
  const model = stock.sequential();
  const normalise = () => model.add(batchNorm({ relu: true }));
  model.add(stock.layers.inputLayer({ inputShape: [SIZE, SIZE, 3] }));
  model.add(conv2d({ filters: 32, kernelSize: 3, padding: 1 }));
  normalise();
  model.add(layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', useBias: false }));
  normalise();
  model.add(conv2d({ filters: 64, kernelSize: 1 }));
  normalise();
  model.add(layers.averagePooling2d({ poolSize: 2 }));
  model.add(conv2d({ filters: 64, kernelSize: 3, padding: 1 }));
  normalise();
  model.add(maxPool2d({ poolSize: 2 }));
  model.add(conv2d({ filters: 128, kernelSize: 3, padding: 1 }));
  normalise();
  model.add(globalAveragePool());
  model.add(layers.dropout({ rate: 0.2, seed: 1 }));
  model.add(linear({ units: CLASSES }));
  const parameters = Object.fromEntries(
    model.trainableWeights.map((weight) => [weight.name, weight.read() as tf.Variable]),
  );
  const rules = { adam: () => adam(), sgd: () => sgd(), momentum: () => sgd({ momentum: MOMENTUM }) };
  const rule = rules[optimizer]();
  const state = rule.createState(parameters);
  let updates = 0;
  return {
    parameters: Object.values(parameters).reduce((sum, { size }) => sum + size, 0),
    async step() {
      const loss = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => {
          const logits = model.apply(images, { training: true }) as tf.Tensor;
          return tf.losses.softmaxCrossEntropy(labels, logits) as tf.Scalar;
        }, Object.values(parameters));
        const gradients = Object.fromEntries(
          Object.entries(parameters).map(([name, variable]) => [name, grads[variable.name] as tf.Tensor]),
        );
        const scalars = tf.tensor1d(rule.scalars(++updates, LEARNING_RATE));
        rule.update(parameters, gradients, state, scalars);
        return value;
      });
      const [value] = await loss.data();
      loss.dispose();
      return value as number;
    },
    dispose() {
      tf.dispose(Object.values(state).flatMap((slot) => Object.values(slot)));
      model.dispose();
    },
  };
}
