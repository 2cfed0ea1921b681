import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { compile } from './compile.ts';

describeEngines('compile', () => {
  it('runs the step on its inputs and updates variables', async () => {
    const total = tf.variable(tf.scalar(0));
    const step = compile(
      ({ x }) => {
        total.assign(tf.add(total, tf.sum(x)) as tf.Scalar);
        return { doubled: tf.mul(x, 2) };
      },
      { inputs: { x: { shape: [2] } } },
    );
    step({ x: tf.tensor1d([1, 2]) });
    const { doubled } = step({ x: tf.tensor1d([3, 4]) });
    expect(Array.from(await doubled.data())).toEqual([6, 8]);
    expect((await total.data())[0]).toBe(10);
  });

  it('leaves only the outputs behind', async () => {
    const step = compile(({ x }) => ({ y: tf.square(tf.add(x, 1)) }), { inputs: { x: { shape: [2] } } });
    await expectNoLeak(() => {
      const x = tf.tensor1d([1, 2]);
      const { y } = step({ x });
      tf.dispose([x, y]);
    });
  });

  it('says what is wrong with the inputs', () => {
    const step = compile(({ x }) => ({ y: tf.neg(x) }), { inputs: { x: { shape: [2] } } });
    const x = tf.tensor1d([1, 2]);
    expect(() => step({} as { x: tf.Tensor })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the step needs the input 'x', got none. Pass it.]`,
    );
    expect(() => step({ x: tf.tensor1d([1, 2, 3]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compile: input 'x' must be float32 of shape [2], got float32 of shape [3]. A step is compiled for one shape: compile another one for other shapes.]`,
    );
    expect(() => step({ x: tf.tensor1d([1, 2], 'int32') })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compile: input 'x' must be float32 of shape [2], got int32 of shape [2]. A step is compiled for one shape: compile another one for other shapes.]`,
    );
    expect(() => step({ x, lr: x } as { x: tf.Tensor })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the step has no input 'lr', only 'x'. Name it in \`inputs\` or leave it out.]`,
    );
  });

  it('refuses a step that returns no tensors', () => {
    const wrong = compile((() => ({ y: 1 })) as never, { inputs: {} });
    expect(() => wrong({})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the step's output 'y' must be a tensor, got number. Return tensors only and read them after the step.]`,
    );
    const asynchronous = compile((async () => ({})) as never, { inputs: {} });
    expect(() => asynchronous({})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: the step must be synchronous, got a promise. Read values after the step, not in it.]`,
    );
  });
});
