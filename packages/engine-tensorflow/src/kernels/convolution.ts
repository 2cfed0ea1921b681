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

const conv2d = defineKernel<'x' | 'filter', ConvolutionOptions>('Conv2D', (call) => {
  const { inputs, options, store } = call;
  const planned = areFloat(inputs.x, inputs.filter) ? plan(call, inputs.x.shape, inputs.filter.shape, options) : null;
  if (!planned) return null;
  return withBorder(call, inputs.x, planned, (x) =>
    store.toTensor(call.run('Conv2D', planned.attributes, [x, store.id(inputs.filter)])),
  );
});

const inputGradient = defineKernel<'dy' | 'filter', ConvolutionOptions & { inputShape: number[] }>(
  'Conv2DBackpropInput',
  (call) => {
    const { inputs, options, store, attribute } = call;
    const { inputShape } = options;
    const planned = areFloat(inputs.dy, inputs.filter) ? plan(call, inputShape, inputs.filter.shape, options) : null;
    if (!planned) return null;
    const { border } = planned;
    const padded = border ? inputShape.map((size, i) => size + border[2 * i]! + border[2 * i + 1]!) : inputShape;
    const operands = [store.constant(padded), store.id(inputs.filter), store.id(inputs.dy)];
    const gradient = call.run('Conv2DBackpropInput', planned.attributes, operands);
    if (!border) return store.toTensor(gradient);
    const begin = inputShape.map((_, i) => border[2 * i]!);
    const attributes = [...attribute.float32('T'), attribute.int32('Index')];
    const inner = call.run('Slice', attributes, [gradient.id, store.constant(begin), store.constant(inputShape)]);
    store.release(gradient);
    return store.toTensor(inner);
  },
);

const filterGradient = defineKernel<'x' | 'dy', ConvolutionOptions & { filterShape: number[] }>(
  'Conv2DBackpropFilter',
  (call) => {
    const { inputs, options, store } = call;
    const { filterShape } = options;
    const planned = areFloat(inputs.x, inputs.dy) ? plan(call, inputs.x.shape, filterShape, options) : null;
    if (!planned) return null;
    return withBorder(call, inputs.x, planned, (x) => {
      const operands = [x, store.constant(filterShape), store.id(inputs.dy)];
      return store.toTensor(call.run('Conv2DBackpropFilter', planned.attributes, operands));
    });
  },
);

/** The convolution of images and its gradients, with any padding. */
export const convolutionKernels: readonly Kernel[] = [conv2d, inputGradient, filterGradient];
