import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@tfjs-ssl/engine';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';
import { dispatch } from '../dispatch.ts';
import { homesOf } from './record-step.ts';

const backend = (): GpuBackend => tf.backend() as unknown as GpuBackend;
const x = { x: { shape: [4, 4] } } as const;
const ones = (scale = 1) => tf.tidy(() => tf.mul(tf.ones([4, 4]), scale));
const first = async (tensor: tf.Tensor | undefined): Promise<number> =>
  (await (tensor as tf.Tensor).data())[0] as number;

/** Calls a step several times and collects the first element of an output. */
async function series(
  step: (inputs: { x: tf.Tensor }) => Record<string, tf.Tensor>,
  name: string,
  scales: readonly number[],
): Promise<number[]> {
  const values: number[] = [];
  for (const scale of scales) {
    const input = ones(scale);
    const outputs = step({ x: input });
    values.push(await first(outputs[name]));
    tf.dispose([outputs, input]);
  }
  return values;
}

describeEngines('a recorded step', () => {
  it('computes with the inputs of each call, from the processor or the GPU', async () => {
    const step = compile(({ x, k }) => ({ y: tf.add(x, tf.cast(k, 'float32')) }), {
      inputs: { x: { shape: [4, 4] }, k: { shape: [], dtype: 'int32' } },
    });
    for (const value of [1, 2, 3, 4]) {
      const onGpu = tf.relu(tf.fill([4, 4], value));
      expect(await first(step({ x: onGpu, k: tf.scalar(10 * value, 'int32') }).y)).toBe(11 * value);
      expect(await first(step({ x: tf.tensor2d(new Array(16).fill(value), [4, 4]), k: tf.scalar(5, 'int32') }).y)).toBe(
        value + 5,
      );
    }
    step.dispose();
  });

  it('assigns variables in place, and they are valid for everything else', async () => {
    const total = tf.variable(tf.zeros([4, 4]));
    const step = compile(
      ({ x }) => {
        total.assign(tf.add(total, x));
        return { sum: tf.sum(total) };
      },
      { inputs: x },
    );
    expect(await series(step, 'sum', [1, 2, 3])).toEqual([16, 48, 96]);
    expect(await first(tf.mul(total, 2))).toBe(12);
    total.assign(ones(100)); // loading weights, say
    expect(await series(step, 'sum', [1, 1])).toEqual([101 * 16, 102 * 16]);
    const clone = total.clone();
    expect(await series(step, 'sum', [1])).toEqual([103 * 16]);
    expect([await first(clone), await first(total)]).toEqual([102, 103]);
    step.dispose();
    expect(await first(total)).toBe(103);
    total.assign(ones(7));
    expect(await first(tf.add(total, clone))).toBe(109);
  });

  it('counts in a scalar variable', async () => {
    const counter = tf.variable(tf.scalar(0), false);
    const step = compile(
      ({ x }) => {
        counter.assign(tf.add(counter, 1));
        return { y: tf.mul(tf.sum(x), counter) };
      },
      { inputs: x },
    );
    expect(await series(step, 'y', [1, 1, 1, 1])).toEqual([16, 32, 48, 64]);
    expect(await first(counter)).toBe(4);
    step.dispose();
  });

  it('swaps two variables', async () => {
    const [a, b] = [tf.variable(ones(1)), tf.variable(ones(2))];
    const step = compile(
      ({ x }) => {
        const before = a.clone();
        a.assign(b as tf.Tensor);
        b.assign(before);
        return { y: tf.add(x, a) };
      },
      { inputs: x },
    );
    expect(await series(step, 'y', [0, 0, 0, 0, 0])).toEqual([2, 1, 2, 1, 2]);
    expect([await first(a), await first(b)]).toEqual([2, 1]);
    step.dispose();
  });

  it('parts variables that share their memory', async () => {
    const weight = tf.variable(ones());
    const average = tf.variable(weight, false);
    const step = compile(
      ({ x }) => {
        weight.assign(tf.add(weight, x));
        average.assign(tf.add(tf.mul(average, 0.5), tf.mul(weight, 0.5)));
        return { y: tf.sum(average) };
      },
      { inputs: x },
    );
    expect(await series(step, 'y', [1, 1, 1])).toEqual([24, 36, 50]);
    step.dispose();
  });

  it('returns outputs that stay what they are as long as somebody has them', async () => {
    const step = compile(({ x }) => ({ y: tf.mul(x, 2), again: x, same: tf.reshape(x, [16]) }), { inputs: x });
    const kept: tf.Tensor[] = [];
    for (const scale of [1, 2, 3, 4]) {
      const { y, again, same } = step({ x: ones(scale) });
      kept.push(y as tf.Tensor);
      expect([await first(again), await first(same)]).toEqual([scale, scale]);
      tf.dispose([again, same]);
    }
    expect(await Promise.all(kept.map(first))).toEqual([2, 4, 6, 8]);
    step.dispose();
    expect(await Promise.all(kept.map(first))).toEqual([2, 4, 6, 8]);
    expect(await first(tf.add(kept[3] as tf.Tensor, 1))).toBe(9);
  });

  it('answers reads in flight with what was there when they began', async () => {
    const total = tf.variable(tf.zeros([4, 4]));
    const step = compile(
      ({ x }) => {
        total.assign(tf.add(tf.mul(total, 0.5), x));
        return { sum: tf.sum(total) };
      },
      { inputs: x },
    );
    let expected = 0;
    const reads: Array<Promise<number>> = [];
    const wanted: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { sum } = step({ x: ones(i) });
      expected = expected / 2 + i;
      wanted.push(16 * expected);
      reads.push(first(sum));
      sum?.dispose();
    }
    (await Promise.all(reads)).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i] as number, 3);
    });
    step.dispose();
  });

  it('restores constants that kernels change in place, and starts from zeros again', async () => {
    const increment = (target: tf.Tensor, by: tf.Tensor) =>
      dispatch(backend(), {
        key: 'AddInPlace',
        bindings: [
          { name: 'p', from: target, access: 'read_write' },
          { name: 'q', from: by },
        ],
        code: () => '@compute @workgroup_size(16) fn main(@builtin(local_invocation_index) i: u32) { p[i] += q[i]; }',
        workgroups: [1],
      });
    const step = compile(
      ({ x }) => {
        const [given, zeros, filled] = [
          tf.tensor2d(new Array(16).fill(1), [4, 4]),
          tf.zerosLike(x),
          tf.fill([4, 4], 2),
        ];
        for (const target of [given, zeros, filled]) increment(target, x as tf.Tensor);
        return { y: tf.addN([given, tf.mul(zeros, 10), tf.mul(filled, 100)]) };
      },
      { inputs: x },
    );
    expect(await series(step, 'y', [1, 1, 1, 1])).toEqual([312, 312, 312, 312]);
    step.dispose();
  });

  it('shares variables with other recorded steps and with ordinary code in between', async () => {
    const weight = tf.variable(ones());
    const outside = ones(3);
    const train = compile(
      ({ x }) => {
        weight.assign(tf.add(weight, x));
        return { sum: tf.sum(weight) };
      },
      { inputs: x },
    );
    const evaluate = compile(({ x }) => ({ y: tf.sum(tf.mul(tf.add(weight, outside), x)) }), { inputs: x });
    for (let i = 0; i < 2; i++) tf.dispose(evaluate({ x: ones() }));
    outside.dispose(); // the recording still needs it
    const seen: number[][] = [];
    const results: tf.Tensor[] = [];
    for (let i = 1; i <= 4; i++) {
      const { sum } = train({ x: ones(i) });
      results.push(tf.add(weight, i));
      const { y } = evaluate({ x: ones() });
      seen.push([await first(sum), await first(y)]);
      tf.dispose([sum, y] as tf.Tensor[]);
    }
    expect(seen).toEqual([2, 4, 7, 11].map((w) => [16 * w, 16 * (w + 3)]));
    expect(await Promise.all(results.map(first))).toEqual([3, 6, 10, 15]);
    train.dispose();
    expect(await series(evaluate, 'y', [1])).toEqual([16 * 14]);
    evaluate.dispose();
    expect(await first(weight)).toBe(11);
  });

  it('leaves no tensors and no memory behind', async () => {
    const weight = tf.variable(ones());
    const bytes = () => (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU;
    const run = () => {
      const step = compile(
        ({ x }) => {
          weight.assign(tf.add(weight, x));
          return { y: tf.mul(x, weight), w: weight.clone() };
        },
        { inputs: x },
      );
      for (let i = 0; i < 4; i++) {
        tf.tidy(() => {
          step({ x: ones() });
        });
      }
      step.check();
      step.dispose();
    };
    run();
    backend().flush();
    const before = { bytes: bytes(), buffers: tf.memory().numDataBuffers, holds: backend().holds.size };
    await expectNoLeak(run);
    backend().flush();
    expect({ bytes: bytes(), buffers: tf.memory().numDataBuffers, holds: backend().holds.size }).toEqual(before);
    expect([homesOf(backend()).size, backend().holds.size]).toEqual([0, 0]);
  });

  it('changes no count of tensors from call to call', () => {
    const weight = tf.variable(ones());
    const step = compile(
      ({ x }) => {
        weight.assign(tf.add(weight, x));
        return { y: tf.mul(x, weight) };
      },
      { inputs: x },
    );
    const input = ones();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 4; i++) {
      tf.dispose(step({ x: input }));
      expect(tf.memory().numTensors).toBe(before);
    }
    step.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names a variable that was disposed meanwhile', () => {
    const weight = tf.variable(ones(), true, 'gone');
    const step = compile(({ x }) => ({ y: tf.mul(x, weight) }), { inputs: x });
    for (let i = 0; i < 2; i++) tf.dispose(step({ x: ones() }));
    weight.dispose();
    expect(() => step({ x: ones() })).toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-webgpu: the variable gone of a recorded step is disposed. Dispose the compiled step first, or keep the variable.]`,
    );
    step.dispose();
    expect([homesOf(backend()).size, backend().holds.size]).toEqual([0, 0]);
  });
});
