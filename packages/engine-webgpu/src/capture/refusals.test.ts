import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@tfjs-ssl/engine';
import { describeEngines } from '@tfjs-ssl/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';

type Step = (inputs: { x: tf.Tensor }) => Record<string, tf.Tensor>;

const ones = () => tf.ones([4, 4]);

describeEngines('what a recording would get wrong', () => {
  let weight: tf.Variable;
  beforeEach(() => {
    weight = tf.variable(ones());
  });
  afterEach(async () => {
    // the variable is as it was, and ordinary code goes on
    expect((await tf.sum(tf.mul(weight, 1)).data())[0]).toBe(16);
    weight.dispose();
  });

  /** The message with which the second call of a step is refused. */
  async function refusalOf(step: Step): Promise<string> {
    const compiled = compile(step, { inputs: { x: { shape: [4, 4] } } });
    tf.dispose(compiled({ x: ones() }));
    weight.assign(ones());
    const { numTensors } = tf.memory();
    try {
      tf.dispose(compiled({ x: ones() }));
    } catch (error) {
      expect(tf.memory().numTensors).toBeLessThanOrEqual(numTensors + 2);
      return (error as Error).message.replace(/The two differ at.*/s, 'The two differ at ...');
    } finally {
      compiled.dispose();
    }
    return 'not refused';
  }

  it('a read, of a result or of an input', async () => {
    const message =
      /^engine-webgpu: this step cannot be recorded: it reads data \(.*\), which change from step to step\. Return the tensor as an output, and read it after the step\.$/;
    const lazily = (read: (x: tf.Tensor) => number): Step => {
      let run = 0;
      return ({ x }) => ({ y: tf.mul(x, run++ === 0 ? 1 : read(x)) }); // the first, eager run could not read either
    };
    expect(await refusalOf(lazily((x) => tf.sum(x).dataSync()[0] as number))).toMatch(message);
    expect(await refusalOf(lazily((x) => x.dataSync()[0] as number))).toMatch(message);
  });

  it('an asynchronous read, whose result nobody can wait for', async () => {
    const reads: Array<Promise<unknown>> = [];
    const message = await refusalOf(({ x }) => {
      const y = tf.mul(x, 2);
      reads.push(y.data());
      return { y };
    });
    expect(message).toMatch(/it reads data \(data\(\) or array\(\)\)/);
    await expect(Promise.all(reads)).rejects.toThrow(/it reads data/);
  });

  it('a kernel that runs on the processor', async () => {
    let run = 0;
    const message = await refusalOf(({ x }) => {
      if (run++ === 0) return { y: x.clone() };
      return { y: tf.image.nonMaxSuppression(x as tf.Tensor2D, tf.sum(x, 1) as tf.Tensor1D, 2) };
    });
    expect(message).toMatch(/it reads data \(dataSync\(\), arraySync\(\), or a kernel that runs on the CPU\)/);
  });

  it.each<[string, Step]>([
    ['normal', ({ x }) => ({ y: tf.add(x, tf.randomNormal([4, 4])) })],
    ['dropout', ({ x }) => ({ y: tf.dropout(x, 0.5) })],
    ['multinomial', ({ x }) => ({ y: tf.cast(tf.multinomial(x as tf.Tensor2D, 3), 'float32') })],
  ])('random numbers that are drawn in the step: %s', async (_name, step) => {
    expect(await refusalOf(step)).toMatchInlineSnapshot(
      `"engine-webgpu: this step cannot be recorded: two recordings of it differ, so it depends on something that is neither an input nor a variable (a random number, a counter). Pass that as a tensor. The two differ at ..."`,
    );
  });

  it('a counter of JavaScript', async () => {
    let count = 0;
    expect(await refusalOf(({ x }) => ({ y: tf.mul(x, ++count) }))).toMatch(/two recordings of it differ/);
  });

  it('state in a field of JavaScript', async () => {
    let state: tf.Tensor = tf.zeros([4, 4]);
    const message = await refusalOf(({ x }) => {
      state = tf.keep(tf.add(state, x));
      return { y: tf.sum(state) };
    });
    expect(message).toMatchInlineSnapshot(
      `"engine-webgpu: this step cannot be recorded: it keeps a tensor beyond its end (tf.keep). Put what lasts from step to step into a tf.Variable that you make before the step; return what you want to read as an output."`,
    );
  });

  it('a variable that is made at every run', async () => {
    const message = await refusalOf(({ x }) => ({ y: tf.add(tf.variable(tf.zeros([4, 4]), true, undefined), x) }));
    expect(message.replace(/\d+/, 'N')).toMatchInlineSnapshot(
      `"engine-webgpu: this step cannot be recorded: it makes variables (N). Make them before the step."`,
    );
  });

  it('an output of another recorded step', async () => {
    const other = compile(({ x }) => ({ y: tf.mul(x, 2) }), { inputs: { x: { shape: [4, 4] } } });
    tf.dispose(other({ x: ones() }));
    const { y } = other({ x: ones() });
    expect(await refusalOf(({ x }) => ({ z: tf.add(x, y as tf.Tensor) }))).toMatchInlineSnapshot(
      `"engine-webgpu: this step cannot be recorded: it uses an output of another compiled step, which changes from step to step. Pass it as an input."`,
    );
    y?.dispose();
    other.dispose();
  });

  it('an error of the step itself, after it has assigned a variable', async () => {
    let run = 0;
    const message = await refusalOf(({ x }) => {
      weight.assign(tf.mul(weight, 2));
      if (run++ > 0) throw new Error('a bug');
      return { y: tf.sum(x) };
    });
    expect(message).toBe('a bug');
  });

  it('a number that changes after the recording, at the next check', async () => {
    const settings = { rate: 1 };
    const step = compile(({ x }) => ({ y: tf.mul(tf.sum(x), settings.rate) }), { inputs: { x: { shape: [4, 4] } } });
    step.check(); // nothing to check yet
    for (let i = 0; i < 3; i++) tf.dispose(step({ x: ones() }));
    step.check();
    settings.rate = 5;
    expect((await (step({ x: ones() }).y as tf.Tensor).data())[0]).toBe(16);
    expect(() => step.check()).toThrow(
      /^engine-webgpu: the step has changed since it was recorded, because it depends on a JavaScript number, which a recording freezes\. Pass the number as a tensor, or compile the step again\. The two differ at command/,
    );
    step.dispose();
    expect((await (step({ x: ones() }).y as tf.Tensor).data())[0]).toBe(80);
    step.dispose();
  });

  it('the rate of a stock optimizer, at the next check', async () => {
    const optimizer = tf.train.sgd(1);
    const step = compile(
      ({ x }) => {
        const { value, grads } = tf.variableGrads(() => tf.sum(tf.mul(weight, x)) as tf.Scalar, [weight]);
        optimizer.applyGradients(grads);
        return { loss: value };
      },
      { inputs: { x: { shape: [4, 4] } } },
    );
    for (let i = 0; i < 3; i++) tf.dispose(step({ x: ones() }));
    expect((await weight.data())[0]).toBe(-2);
    step.check();
    (optimizer as unknown as { setLearningRate(rate: number): void }).setLearningRate(0.5);
    expect(() => step.check()).toThrow(/the step has changed since it was recorded/);
    step.dispose();
    weight.assign(ones());
  });

  it('an input of another shape, as everywhere', () => {
    const step = compile(({ x }) => ({ y: tf.sum(x) }), { inputs: { x: { shape: [4, 4] } } });
    for (let i = 0; i < 2; i++) tf.dispose(step({ x: ones() }));
    expect(() => step({ x: tf.ones([3, 4]) })).toThrow(
      /must be float32 of shape \[4, 4\], got float32 of shape \[3, 4\]/,
    );
    step.dispose();
  });
});
