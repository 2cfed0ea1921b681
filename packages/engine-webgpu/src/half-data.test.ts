import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@tfjs-ssl/engine';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it, vi } from 'vitest';
import { gpu } from '../test-support/reference.ts';
import { dispatch } from './dispatch.ts';

const SHAPE = [2, 5, 6, 8] as const;
const SIZE = 2 * 5 * 6 * 8;

/** Runs a function in mixed precision. */
function mixed<T>(run: () => T): T {
  const backend = gpu();
  const before = backend.precision;
  backend.precision = 'mixed';
  try {
    return run();
  } finally {
    backend.precision = before;
  }
}

/** A convolution by a filter that copies each channel: its result has the elements of x, which float16 has, too. */
const x = () =>
  tf.tensor(
    Float32Array.from({ length: SIZE }, (_, i) => ((i * 7) % 64) / 8 - 4),
    [...SHAPE],
  );
const copying = () => tf.tidy(() => tf.reshape(tf.eye(8), [1, 1, 8, 8])) as tf.Tensor4D;
const copied = (): tf.Tensor4D => tf.tidy(() => mixed(() => tf.conv2d(x() as tf.Tensor4D, copying(), 1, 'valid')));
const bytesUsed = () => gpu().pool.numBytesUsed;

describeEngines('data that lie as float16', () => {
  const has = () => gpu().device.features.has('shader-f16');

  it('are those of a convolution in mixed precision, in half the memory', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const backend = gpu();
    await tf.zeros([1]).data();
    const before = bytesUsed();
    const y = copied();
    backend.flush();
    expect(backend.isHalf(y.dataId)).toBe(true);
    expect(y.dtype).toBe('float32');
    expect(bytesUsed() - before).toBe(2 * SIZE);
    y.dispose();
    backend.flush();
    expect(bytesUsed()).toBe(before);
  });

  it('never in float32, and not where channels do not come in fours', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const images = tf.ones([1, 4, 4, 3]) as tf.Tensor4D;
    const filter = tf.ones([1, 1, 3, 6]) as tf.Tensor4D;
    const odd = mixed(() => tf.conv2d(images, filter, 1, 'valid'));
    expect(gpu().isHalf(odd.dataId)).toBe(false);
    expect(Array.from(await odd.data())).toEqual(new Array(96).fill(3));
    const even = tf.conv2d(x() as tf.Tensor4D, copying(), 1, 'valid');
    expect(gpu().isHalf(even.dataId)).toBe(false);
  });

  it('are float32 to everybody else: reads, stock kernels, views of the same data', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const expected = await x().data();
    const uses: Record<string, (y: tf.Tensor4D) => tf.Tensor> = {
      'a read': (y) => y,
      'a read of a view': (y) => tf.reshape(y, [SIZE]),
      'a clone': (y) => tf.clone(y),
      'a stock kernel': (y) => tf.mul(y, 1),
      'a stock kernel on a view': (y) => tf.mul(tf.reshape(y, [8, -1]), 1),
      'two uses in one kernel': (y) => tf.sub(tf.add(y, y), y),
      'a kernel of ours that takes float32': (y) => tf.matMul(tf.reshape(y, [-1, 8]) as tf.Tensor2D, tf.eye(8)),
      concatenation: (y) => tf.concat([tf.slice(y, [0], [1]), tf.slice(y, [1], [1])]),
    };
    for (const [name, use] of Object.entries(uses)) {
      const results = tf.tidy(() => {
        const y = copied();
        expect(gpu().isHalf(y.dataId), name).toBe(true);
        return { used: use(y), itself: y };
      });
      expect(await results.used.data(), name).toEqual(expected);
      expect(await results.itself.data(), `${name}, afterwards`).toEqual(expected);
      tf.dispose(results);
    }
  });

  it('are float32 in the buffer that dataToGPU gives', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const y = copied();
    const { buffer, tensorRef } = y.dataToGPU();
    expect(buffer?.size).toBe(4 * SIZE);
    expect(await tensorRef.data()).toEqual(await x().data());
    tf.dispose([y, tensorRef]);
  });

  it('may be written in place', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const y = copied();
    const view = tf.reshape(y, [SIZE]);
    dispatch(gpu(), {
      key: 'AddThird',
      bindings: [{ name: 'y', from: y, access: 'read_write' }],
      code: () =>
        '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x < arrayLength(&y)) { y[id.x] += 1. / 3.; } }',
      workgroups: [Math.ceil(SIZE / 64)],
    });
    const expected = (await x().data()).map((value) => Math.fround(value + Math.fround(1 / 3)));
    expect(await view.data()).toEqual(expected);
    tf.dispose([y, view]);
  });

  it('may become a variable, or an input of a recorded step', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const expected = await x().data();
    const variable = tf.variable(copied());
    expect(await tf.mul(variable, 1).data()).toEqual(expected);
    const step = compile(({ y }) => ({ sum: tf.add(y as tf.Tensor, variable) }), {
      inputs: { y: { shape: [...SHAPE] } },
    });
    for (let i = 0; i < 3; i++) {
      const { sum } = step({ y: copied() });
      expect(await sum!.data()).toEqual(expected.map((value) => 2 * value));
      variable.assign(copied());
    }
    step.dispose();
  });

  it('are float32 to a recorded step that takes them from outside', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const outside = copied();
    const filter = copying();
    const step = compile(({ one }) => ({ y: tf.mul(tf.conv2d(outside, filter, 1, 'valid'), one as tf.Tensor) }), {
      inputs: { one: { shape: [] } },
      precision: 'mixed',
    });
    const expected = await x().data();
    for (let i = 0; i < 4; i++) {
      const { y } = step({ one: tf.scalar(1) });
      expect(await y!.data()).toEqual(expected);
      tf.dispose(y!);
    }
    expect(await outside.data()).toEqual(expected);
    step.dispose();
  });

  it('give their memory back, before and after they were widened', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const backend = gpu();
    const once = async (use: (y: tf.Tensor4D) => unknown) => {
      const y = copied();
      await use(y);
      y.dispose();
      backend.flush();
    };
    const uses = [() => {}, (y: tf.Tensor4D) => y.data(), (y: tf.Tensor4D) => backend.bufferOf(y)];
    for (const use of uses) await once(use);
    await tf.zeros([1]).data();
    const { numTensors, numDataBuffers } = tf.memory();
    const [used, allocated] = [backend.pool.numBytesUsed, backend.pool.numBytesAllocated];
    for (let i = 0; i < 3; i++) for (const use of uses) await once(use);
    expect([tf.memory().numTensors, tf.memory().numDataBuffers]).toEqual([numTensors, numDataBuffers]);
    expect([backend.pool.numBytesUsed, backend.pool.numBytesAllocated]).toEqual([used, allocated]);
  });

  it('are computed later where they wait, in mixed precision or not', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const backend = gpu();
    const gradient = () => {
      const [dy, filter] = [x(), copying()];
      const attributes = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', inputShape: [...SHAPE] };
      return mixed(() =>
        tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, attributes as never),
      ) as tf.Tensor;
    };
    const dx = gradient();
    expect(backend.isHalf(dx.dataId)).toBe(true);
    expect(await dx.data()).toEqual(await x().data());
    const sum = mixed(() => tf.add(gradient(), copied()));
    expect(backend.isHalf(sum.dataId)).toBe(true);
    const both = mixed(() => tf.add(copied(), copied()));
    expect(backend.isHalf(both.dataId)).toBe(true);
    const twice = (await x().data()).map((value) => 2 * value);
    expect(await sum.data()).toEqual(twice);
    expect(await both.data()).toEqual(twice);
  });

  it('become infinite beyond 65504, as in PyTorch', async ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const y = tf.tidy(() =>
      mixed(() =>
        tf.conv2d(tf.fill([1, 1, 1, 4], 60000) as tf.Tensor4D, tf.ones([1, 1, 4, 4]) as tf.Tensor4D, 1, 'valid'),
      ),
    );
    expect(Array.from(await y.data())).toEqual(new Array(4).fill(Number.POSITIVE_INFINITY));
  });

  it('need nothing of a kernel that knows them', ({ skip }) => {
    skip(!has(), 'this device has no float16');
    const dispatches = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
    const y = tf.tidy(() => {
      const first = copied();
      dispatches.mockClear();
      return mixed(() => tf.relu(tf.maxPool(first, 2, 1, 'valid')));
    });
    expect(dispatches).toHaveBeenCalledTimes(2);
    expect(gpu().isHalf(y.dataId)).toBe(true);
    dispatches.mockRestore();
  });
});
