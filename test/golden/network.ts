import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { namedWeights, type ResNetOptions, resnet18, resnet34, resnet50 } from '@tfjs-ssl/resnet';
import { valuesOf } from '@tfjs-ssl/testing';
import { type BatchNormVariant, fillModel } from './fill.ts';

/** The fields of a golden case that define an encoder with its head. */
export interface NetworkParams {
  readonly arch: string;
  readonly width: number;
  readonly stem: 'imagenet' | 'cifar';
  readonly head: readonly number[];
  readonly salt: string;
  readonly bn_variant: BatchNormVariant;
}

/** An encoder and a head with the formula's weights. */
export interface GoldenNetwork {
  readonly encoder: LayersModel;
  readonly head: LayersModel;
  /** Of both, in the files' names: those of the head start with `fc.`. */
  readonly parameters: Record<string, tf.Variable>;
  readonly buffers: Record<string, tf.Variable>;
}

const architectures: Record<string, ((options: ResNetOptions) => LayersModel) | undefined> = {
  resnet18,
  resnet34,
  resnet50,
};

/** Shape that the golden files give to a weight: PyTorch's layout. */
export function torchShape(variable: tf.Tensor): number[] {
  const order = { 4: [3, 2, 0, 1], 2: [1, 0] }[variable.rank] ?? [0];
  return order.map((axis) => variable.shape[axis] as number);
}

/** Values of a weight, or of its gradient, in PyTorch's layout. */
export function torchValues(tensor: tf.Tensor): Promise<Float32Array> {
  const order = { 4: [3, 2, 0, 1], 2: [1, 0] }[tensor.rank];
  return valuesOf(() => (order ? tf.transpose(tensor, order) : tf.clone(tensor)));
}

/** Builds the network of a golden case, with the formula's weights. */
export async function goldenNetwork(params: NetworkParams): Promise<GoldenNetwork> {
  const architecture = architectures[params.arch];
  if (!architecture) throw new RangeError(`golden: no architecture '${params.arch}'`);
  const stem = params.stem === 'cifar' ? 'small' : params.stem;
  const encoder = architecture({ width: params.width, stem });
  const [inputSize, ...sizes] = params.head as [number, ...number[]];
  const head = mlpHead({ inputSize, hiddenSizes: sizes.slice(0, -1), outputSize: sizes.at(-1) as number });
  await fillModel(encoder, params.salt, params.bn_variant);
  await fillModel(head, params.salt, params.bn_variant, 'fc.');
  const [ofEncoder, ofHead] = [namedWeights(encoder), namedWeights(head)];
  return {
    encoder,
    head,
    parameters: { ...ofEncoder.parameters, ...withPrefix('fc.', ofHead.parameters) },
    buffers: { ...ofEncoder.buffers, ...withPrefix('fc.', ofHead.buffers) },
  };
}

function withPrefix<T>(prefix: string, values: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

/** Names of the golden files' stages and of the layers whose output they are. */
export function stageLayers(encoder: LayersModel): Map<string, layers.Layer> {
  const lastOf = (stage: string): layers.Layer =>
    encoder.layers
      .filter(({ name }) => new RegExp(`^${stage}\\.\\d+\\.bn\\d$`).test(name))
      .sort((a, b) => a.id - b.id)
      .at(-1) as layers.Layer;
  const byName = new Map(encoder.layers.map((layer) => [layer.name, layer]));
  const rectified = byName.get('bn1') as layers.Layer;
  return new Map([
    ['conv1', byName.get('conv1') as layers.Layer],
    ['relu1', rectified],
    ['maxpool', byName.get('maxpool') ?? rectified], // the small stem has none: PyTorch's is the identity there
    ...['layer1', 'layer2', 'layer3', 'layer4'].map((stage): [string, layers.Layer] => [stage, lastOf(stage)]),
    ['features', byName.get('avgpool') as layers.Layer],
  ]);
}

/** Layers that end in a rectifier, by the names of float64's. */
export function rectifiers({ encoder, head }: Pick<GoldenNetwork, 'encoder' | 'head'>): Map<string, layers.Layer> {
  const named = (model: LayersModel, prefix: string, isOne: (layer: layers.Layer) => boolean) =>
    model.layers.filter(isOne).map((layer): [string, layers.Layer] => [prefix + layer.name, layer]);
  return new Map([
    ...named(encoder, '', ({ name }) => /(^|\.)bn\d$/.test(name)),
    ...named(head, 'fc.', (layer) => layer.getClassName() === 'ReLU'),
  ]);
}

/** Lets a function see, and replace, what a layer computes; returns how to end that. */
export function tapLayer(layer: layers.Layer, tap: (output: tf.Tensor) => tf.Tensor): () => void {
  const original = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => tap(original(inputs, kwargs) as tf.Tensor);
  return () => {
    delete (layer as Partial<layers.Layer>).call; // the class's own comes back
  };
}
