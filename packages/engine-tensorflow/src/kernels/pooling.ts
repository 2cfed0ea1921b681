import * as tf from '@tensorflow/tfjs-core';
import type { Handle, OpAttribute } from '../node-backend.ts';
import { areFloat, defineKernel, defineOpKernel, type Kernel, type KernelCall } from './kernel.ts';
import { chooseMargins, type Margins } from './margins.ts';

interface PoolOptions {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

function plan({ attribute }: KernelCall<string, unknown>, shape: readonly number[], options: PoolOptions) {
  const { filterSize, strides, pad, dimRoundingMode } = options;
  const images = shape as [number, number, number, number];
  const info = tf.backend_util.computePool2DInfo(images, filterSize, strides, 1, pad, dimRoundingMode);
  const margins = chooseMargins(info);
  return (
    margins && {
      ...margins,
      attributes: [
        ...attribute.float32('T'),
        attribute.int('ksize', [1, info.filterHeight, info.filterWidth, 1]),
        attribute.int('strides', [1, info.strideHeight, info.strideWidth, 1]),
        attribute.text('padding', margins.padding),
        attribute.text('data_format', 'NHWC'),
      ],
    }
  );
}

/** Runs a function with the handle of the images, a border added where the margins have one, which no maximum is taken of. */
function withBorder(
  call: KernelCall<string, unknown>,
  x: tf.TensorInfo,
  { border }: Margins,
  run: (x: number) => Handle,
): Handle {
  const { store, attribute } = call;
  if (!border) return run(store.id(x));
  const attributes = [...attribute.float32('T'), attribute.int32('Tpaddings')];
  const padded = store.withNumbers([Number.NEGATIVE_INFINITY], (lowest) =>
    call.run('PadV2', attributes, [store.id(x), store.constant(border, [4, 2]), lowest!]),
  );
  const result = run(padded.id);
  store.release(padded);
  return result;
}

/** The maximum of every window, NaN where the window has one: TensorFlow's op passes over NaN. */
function largest({ store, attribute, run }: KernelCall<string, unknown>, x: number, pooling: OpAttribute[]): Handle {
  const maxima = run('MaxPool', pooling, [x]);
  const nans = run('IsNan', attribute.float32('T'), [x]);
  const ones = run('Cast', [attribute.bool('SrcT'), ...attribute.float32('DstT')], [nans.id]);
  const spoilt = run('MaxPool', pooling, [ones.id]);
  const where = run('Cast', [...attribute.float32('SrcT'), attribute.bool('DstT')], [spoilt.id]);
  const result = store.withNumbers([Number.NaN], (nan) =>
    run('SelectV2', attribute.float32('T'), [where.id, nan!, maxima.id]),
  );
  store.release(maxima, nans, ones, spoilt, where);
  return result;
}

const maxPool = defineKernel<'x', PoolOptions>('MaxPool', (call) => {
  const { inputs, options, store } = call;
  const planned = areFloat(inputs.x) ? plan(call, inputs.x.shape, options) : null;
  if (!planned) return null;
  return store.toTensor(withBorder(call, inputs.x, planned, (x) => largest(call, x, planned.attributes)));
});

const maxPoolGradient = defineKernel<'dy' | 'input' | 'output', PoolOptions>('MaxPoolGrad', (call) => {
  const { inputs, options, store, attribute } = call;
  const { dy, input, output } = inputs;
  const planned = areFloat(dy, input) ? plan(call, input.shape, options) : null;
  if (!planned) return null;
  const { border } = planned;
  const gradient = withBorder(call, input, planned, (x) =>
    call.run('MaxPoolGrad', planned.attributes, [x, store.id(output), store.id(dy)]),
  );
  if (!border) return store.toTensor(gradient);
  const begin = input.shape.map((_, i) => border[2 * i]!);
  const attributes = [...attribute.float32('T'), attribute.int32('Index')];
  const inner = call.run('Slice', attributes, [gradient.id, store.constant(begin), store.constant(input.shape)]);
  store.release(gradient);
  return store.toTensor(inner);
});

const globalAveragePool = defineOpKernel('GlobalAveragePool', ({ inputs: { x }, store, attribute, run }) => {
  if (!areFloat(x)) return null;
  const attributes = [...attribute.float32('T'), attribute.int32('Tidx'), attribute.flag('keep_dims', false)];
  return store.toTensor(run('Mean', attributes, [store.id(x), store.constant([1, 2])]));
});

const globalAveragePoolGradient = defineOpKernel(
  'GlobalAveragePoolGrad',
  ({ inputs: { dy }, options: { inputShape }, store, attribute, run }) => {
    const [images, height, width, channels] = inputShape;
    const share = store.withNumbers([1 / (height * width)], (factor) =>
      run('Mul', attribute.float32('T'), [store.id(dy), factor!]),
    );
    const toShape = [...attribute.float32('T'), attribute.int32('Tshape')];
    const pixel = run('Reshape', toShape, [share.id, store.constant([images, 1, 1, channels])]);
    const spread = [...attribute.float32('T'), attribute.int32('Tidx')];
    const gradient = run('BroadcastTo', spread, [pixel.id, store.constant(inputShape)]);
    store.release(share, pixel);
    return store.toTensor(gradient);
  },
);

/** Pooling and its gradients. */
export const poolingKernels: readonly Kernel[] = [
  maxPool,
  maxPoolGradient,
  globalAveragePool,
  globalAveragePoolGradient,
];
