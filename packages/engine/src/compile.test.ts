import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrain } from '@tfjs-ssl/ops';
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

  it('leaves nothing behind of a step that throws on the way to its gradients or back', async () => {
    const kernel = tf.variable(tf.ones<tf.Rank.R4>([3, 3, 2, 4]));
    const failure = new Error('from the test');
    const throwing = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: () => {
        throw failure;
      },
    }));
    for (const last of [throwing, () => tf.util.assert(false, () => failure.message) as never]) {
      const step = compile(
        ({ x }) => {
          const loss = () => {
            const convolved = tf.relu(tf.conv2d(x as tf.Tensor4D, kernel, 1, 'same'));
            const { output } = batchNormTrain(convolved, tf.ones([4]), tf.zeros([4]), { relu: true });
            return tf.mean(last(tf.square(output))) as tf.Scalar;
          };
          return { loss: tf.variableGrads(loss, [kernel]).value };
        },
        { inputs: { x: { shape: [2, 5, 5, 2] } } },
      );
      const x = tf.ones([2, 5, 5, 2]);
      await expectNoLeak(() => {
        for (let i = 0; i < 3; i++) expect(() => step({ x })).toThrow(failure.message);
      });
      expect(tf.engine().state.gradientDepth, 'what follows is not recorded').toBe(0);
      x.dispose();
    }
    kernel.dispose();
  });

  it('lets a gradient go on in which a step throws', async () => {
    const step = compile(() => tf.util.assert(false, () => 'from the test') as never, { inputs: {} });
    const gradient = tf.grad((x) => {
      const y = tf.square(x);
      expect(() => step({})).toThrow('from the test');
      return tf.sum(tf.mul(y, x));
    });
    expect(Array.from(await gradient(tf.tensor1d([1, 2])).data())).toEqual([3, 12]);
  });

  it('says what is wrong with the inputs', () => {
    const step = compile(({ x }) => ({ y: tf.neg(x) }), { inputs: { x: { shape: [2] } } });
    const x = tf.tensor1d([1, 2]);
    expect(() => step({} as { x: tf.Tensor })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: inputs must hold 'x', an input of the step, got none. Pass every input that the step was compiled for.]`,
    );
    expect(() => step({ x: tf.tensor1d([1, 2, 3]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compile: inputs.x must be float32 of shape [2], got float32 of shape [3]. A step is compiled for one shape: compile another step for other shapes.]`,
    );
    expect(() => step({ x: tf.tensor1d([1, 2], 'int32') })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compile: inputs.x must be float32 of shape [2], got int32 of shape [2]. A step is compiled for one shape: compile another step for other shapes.]`,
    );
    expect(() => step({ x, lr: x } as { x: tf.Tensor })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: inputs must hold only the inputs of the step, 'x', got 'lr'. Name the input when you compile the step, or leave it out.]`,
    );
  });

  it('refuses a step that returns no tensors', () => {
    const wrong = compile((() => ({ y: 1 })) as never, { inputs: {} });
    expect(() => wrong({})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: output 'y' of the step must be a tensor, got Number. Return only tensors, and read them after the step.]`,
    );
    const asynchronous = compile((async () => ({})) as never, { inputs: {} });
    expect(() => asynchronous({})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: compile: step must be synchronous, got a promise. Read values after the step, not in it.]`,
    );
  });
});
