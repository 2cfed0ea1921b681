import * as tf from '@tensorflow/tfjs-core';
import type { OpAttribute } from '../node-backend.ts';
import { areFloat, defineKernel, type Kernel, type KernelCall } from './kernel.ts';
import { chooseMargins, type Margins } from './margins.ts';

interface ConvolutionOptions {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: string;
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Shape4 = [number, number, number, number];

interface Plan extends Margins {
  readonly info: tf.backend_util.Conv2DInfo;
  readonly attributes: readonly OpAttribute[];
}

/** What all three ops of a convolution are told; null where tfjs-node's own kernel has to do it. */
function plan(
  { attribute }: KernelCall<string, unknown>,
  input: readonly number[],
  filter: readonly number[],
  options: ConvolutionOptions,
  depthwise: boolean,
): Plan | null {
  if (options.dataFormat === 'NCHW') return null;
  const { strides, dilations = 1, pad, dimRoundingMode } = options;
  const info = tf.backend_util.computeConv2DInfo(
    input as Shape4,
    filter as Shape4,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
  const margins = chooseMargins(info);
  return (
    margins && {
      ...margins,
      info,
      attributes: [
        ...attribute.float32('T'),
        attribute.int('strides', [1, info.strideHeight, info.strideWidth, 1]),
        attribute.text('padding', margins.padding),
        attribute.text('data_format', 'NHWC'),
        attribute.int('dilations', [1, info.dilationHeight, info.dilationWidth, 1]),
      ],
    }
  );
}

/** Runs a function with the handle of the images, a border of zeros added where the margins have one. */
function withBorder<T>(
  call: KernelCall<string, unknown>,
  x: tf.TensorInfo,
  { border }: Margins,
  run: (x: number) => T,
): T {
  const { store, attribute } = call;
  if (!border) return run(store.id(x));
  const attributes = [...attribute.float32('T'), attribute.int32('Tpaddings')];
  const padded = call.run('Pad', attributes, [store.id(x), store.constant(border, [4, 2])]);
  const result = run(padded.id);
  store.release(padded);
  return result;
}

/** A convolution and its two gradients under the names that its ops have in TensorFlow and in TensorFlow.js alike. */
function convolution(name: string, depthwise: boolean): Kernel[] {
  const forward = defineKernel<'x' | 'filter', ConvolutionOptions>(name, (call) => {
    const { inputs, options, store } = call;
    const { x, filter } = inputs;
    const planned = areFloat(x, filter) ? plan(call, x.shape, filter.shape, options, depthwise) : null;
    if (!planned) return null;
    return withBorder(call, x, planned, (images) =>
      store.toTensor(call.run(name, planned.attributes, [images, store.id(filter)])),
    );
  });

  const inputGradient = defineKernel<'dy' | 'filter', ConvolutionOptions & { inputShape: number[] }>(
    `${name}BackpropInput`,
    (call) => {
      const { inputs, options, store, attribute } = call;
      const { inputShape } = options;
      const { dy, filter } = inputs;
      const planned = areFloat(dy, filter) ? plan(call, inputShape, filter.shape, options, depthwise) : null;
      if (!planned) return null;
      const { border } = planned;
      const padded = border ? inputShape.map((size, i) => size + border[2 * i]! + border[2 * i + 1]!) : inputShape;
      const operands = [store.constant(padded), store.id(filter), store.id(dy)];
      const gradient = call.run(`${name}BackpropInput`, planned.attributes, operands);
      if (!border) return store.toTensor(gradient);
      const begin = inputShape.map((_, i) => border[2 * i]!);
      const attributes = [...attribute.float32('T'), attribute.int32('Index')];
      const inner = call.run('Slice', attributes, [gradient.id, store.constant(begin), store.constant(inputShape)]);
      store.release(gradient);
      return store.toTensor(inner);
    },
  );

  const filterGradient = defineKernel<'x' | 'dy', ConvolutionOptions & { filterShape: number[] }>(
    `${name}BackpropFilter`,
    (call) => {
      const { inputs, options, store } = call;
      const { filterShape } = options;
      const { x, dy } = inputs;
      const planned = areFloat(x, dy) ? plan(call, x.shape, filterShape, options, depthwise) : null;
      if (!planned) return null;
      return withBorder(call, x, planned, (images) => {
        const operands = [images, store.constant(filterShape), store.id(dy)];
        return store.toTensor(call.run(`${name}BackpropFilter`, planned.attributes, operands));
      });
    },
  );
  return [forward, inputGradient, filterGradient];
}

/** Convolutions of images, of all channels together and of each by itself, and their gradients, with any padding. */
export const convolutionKernels: readonly Kernel[] = [
  ...convolution('Conv2D', false),
  ...convolution('DepthwiseConv2dNative', true),
];
