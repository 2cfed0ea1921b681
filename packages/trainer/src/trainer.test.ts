import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, expectTypeOf, it, vi } from 'vitest';
import { batchSize, messageOf, tinyInputs, tinyTrainer } from '../test-support/tiny-run.ts';
import { DivergenceError } from './divergence-error.ts';
import { adam, constantSchedule, sgd, Trainer, type TrainerOptions } from './index.ts';

/** loss = (weight * x)^2 */
function square(options: Partial<TrainerOptions<{ x: { shape: readonly [] } }, 'product'>> = {}): {
  weight: tf.Variable;
  trainer: Trainer<{ x: { shape: readonly [] } }, 'product'>;
} {
  const weight = tf.variable(tf.scalar(2));
  const trainer = new Trainer<{ x: { shape: readonly [] } }, 'product'>({
    parameters: { weight },
    inputs: { x: { shape: [] } },
    loss: ({ x }) => {
      const product = tf.mul(weight, x);
      return { loss: tf.square(product), metrics: { product } };
    },
    optimizer: sgd(),
    schedule: (step) => 0.25 / (step + 1),
    ...options,
  });
  return { weight, trainer };
}

describeEngines('Trainer', () => {
  it('does the step that a hand does', async () => {
    const { weight, trainer } = square();
    const x = tf.scalar(1);
    // gradient 2 * 2 * 1 = 4; 2 - 0.25 * 4 = 1
    expect(await trainer.step({ x })).toEqual({ step: 0, loss: 4, metrics: { product: 2 }, learningRate: 0.25 });
    expect((await weight.data())[0]).toBe(1);
    // gradient 2; 1 - 0.125 * 2 = 0.75
    expect(await trainer.step({ x })).toEqual({ step: 1, loss: 1, metrics: { product: 1 }, learningRate: 0.125 });
    expect((await weight.data())[0]).toBe(0.75);
    expect(trainer.stepsDone).toBe(2);
  });

  it('clips the gradient', async () => {
    const { weight, trainer } = square({ clipNorm: 1 });
    await trainer.step({ x: tf.scalar(1) });
    await expectClose(weight, [1.75]);
  });

  it('lets the loss change buffers', async () => {
    const trainer = tinyTrainer();
    const before = (await trainer.buffers['fc1.running_mean']!.data()).slice();
    await trainer.step(tinyInputs(0));
    expect(await trainer.buffers['fc1.running_mean']!.data()).not.toEqual(before);
  });

  it('takes a loss without metrics, and the loss itself as a metric', async () => {
    const weight = tf.variable(tf.scalar(2));
    const common = {
      parameters: { weight },
      inputs: {},
      optimizer: adam(),
      schedule: constantSchedule({ learningRate: 0 }),
    };
    const plain = new Trainer({ ...common, loss: () => ({ loss: tf.square(weight) }) });
    expect((await plain.step({})).metrics).toEqual({});
    const twice = new Trainer({
      ...common,
      loss: () => {
        const loss = tf.square(weight) as tf.Scalar;
        return { loss, metrics: { again: loss, large: tf.greater(loss, 1) } };
      },
    });
    expect((await twice.step({})).metrics).toEqual({ again: 4, large: 1 });
  });

  it('gives the loss inputs of the rank of their shapes, and takes its scalar alone', async () => {
    const weight = tf.variable(tf.tensor2d([[2], [1]]));
    const trainer = new Trainer({
      parameters: { weight },
      inputs: { x: { shape: [3, 2] }, indices: { shape: [2], dtype: 'int32' }, any: { shape: [1] as number[] } },
      loss: ({ x, indices, any }) => {
        expectTypeOf(x).toEqualTypeOf<tf.Tensor2D>();
        expectTypeOf(indices).toEqualTypeOf<tf.Tensor1D>();
        expectTypeOf(any).toEqualTypeOf<tf.Tensor>();
        return tf.sum(tf.matMul(tf.gather(x, indices), weight));
      },
      optimizer: sgd(),
      schedule: constantSchedule({ learningRate: 0.5 }),
    });
    const x = tf.tensor2d([1, 2, 10, 20, 3, 4], [3, 2]);
    const inputs = { x, indices: tf.tensor1d([0, 2], 'int32'), any: tf.zeros([1]) };
    // 2 + 2 + 6 + 4; the gradient is [1 + 3, 2 + 4]
    expect(await trainer.step(inputs)).toEqual({ step: 0, loss: 14, metrics: {}, learningRate: 0.5 });
    await expectClose(weight, [0, -2]);
  });

  it('leaves no tensors behind', async () => {
    const trainer = tinyTrainer({ optimizer: adam() });
    const inputs = tinyInputs(0);
    await trainer.step(inputs);
    await expectNoLeak(async () => {
      for (let i = 0; i < 5; i++) await trainer.step(inputs);
      trainer.restore(await trainer.snapshot());
    });
  });

  it('frees the slots of the optimizer and nothing else', () => {
    const before = tf.memory().numTensors;
    const trainer = tinyTrainer({ optimizer: adam() });
    expect(tf.memory().numTensors).toBeGreaterThan(before + 4);
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before + 4);
  });

  it('goes on exactly from a snapshot, which later steps do not change', async () => {
    const trainer = tinyTrainer({ optimizer: adam() });
    await trainer.step(tinyInputs(0));
    const state = await trainer.snapshot();
    const results = [await trainer.step(tinyInputs(1)), await trainer.step(tinyInputs(2))];
    const end = await trainer.snapshot();
    for (let i = 0; i < 2; i++) {
      trainer.restore(state);
      expect([await trainer.step(tinyInputs(1)), await trainer.step(tinyInputs(2))]).toEqual(results);
      expect(await trainer.snapshot()).toEqual(end);
    }
  });

  it('names its state as a checkpoint does', async () => {
    const { tensors } = await tinyTrainer({ optimizer: sgd({ momentum: 0.9 }) }).snapshot();
    expect(Object.entries(tensors).map(([name, { shape }]) => `${name} [${shape}]`)).toMatchInlineSnapshot(`
      [
        "model.fc1.weight [2,3]",
        "model.fc1.bias [3]",
        "model.fc2.weight [3,1]",
        "model.fc1.running_mean [3]",
        "optimizer.velocity.fc1.weight [2,3]",
        "optimizer.velocity.fc1.bias [3]",
        "optimizer.velocity.fc2.weight [3,1]",
      ]
    `);
  });

  it('says that the images hold NaN, and refuses to go on', async () => {
    const trainer = tinyTrainer();
    const state = await trainer.snapshot();
    const inputs = { ...tinyInputs(0), x: tf.fill([batchSize, 2], Number.NaN) };
    await expect(trainer.step(inputs)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: Trainer: the loss of step 0 is NaN. Its input 'x' holds NaN or infinite values: check the images. This state is spoiled; the last checkpoint is intact: resume from it.]`,
    );
    const refused = await trainer.step(tinyInputs(0)).catch((error: unknown) => error);
    expect(refused).not.toBeInstanceOf(DivergenceError); // a mistake of the caller
    await expect(trainer.step(tinyInputs(0))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: Trainer: an earlier loss was not finite and spoiled the parameters. Restore a checkpoint first.]`,
    );
    await expect(trainer.snapshot()).rejects.toThrow('Restore a checkpoint first.');
    trainer.restore(state);
    expect((await trainer.step(tinyInputs(0))).step).toBe(0);
  });

  it('says that the learning rate may be too high', async () => {
    const { trainer } = square({ schedule: () => 1e10 });
    const x = tf.scalar(1);
    const train = async () => {
      for (let i = 0; i < 20; i++) await trainer.step({ x });
    };
    const error = await train().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DivergenceError);
    expect((error as DivergenceError).reason).toBe(
      'Trainer: the loss of step 2 is Infinity. Its inputs are finite: the learning rate (10000000000) may be too high; lower it, warm up, or set `clipNorm`.',
    );
    expect(error).toMatchInlineSnapshot(
      `[Error: Trainer: the loss of step 2 is Infinity. Its inputs are finite: the learning rate (10000000000) may be too high; lower it, warm up, or set \`clipNorm\`. This state is spoiled; the last checkpoint is intact: resume from it.]`,
    );
  });

  it('does not hand out a state that is not finite, though the loss was', async () => {
    const weight = tf.variable(tf.tensor1d([0, 1]));
    const trainer = new Trainer({
      parameters: { weight },
      inputs: {},
      loss: () => ({ loss: tf.sum(tf.sqrt(weight)) }), // its gradient at 0 is infinite
      optimizer: sgd(),
      schedule: constantSchedule({ learningRate: 1 }),
    });
    expect((await trainer.step({})).loss).toBe(1);
    await expect(trainer.snapshot()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: Trainer: 'model.weight' must be finite to be saved, got NaN or infinity. Lower the learning rate, or set \`clipNorm\`, and continue from the last checkpoint, which is intact.]`,
    );
  });

  it('refuses a state of another model, as a whole', async () => {
    const { trainer, weight } = square();
    const { tensors } = await tinyTrainer().snapshot();
    expect(() => trainer.restore({ step: 1, tensors })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: state must fit the model and the optimizer, got differences: model.weight is missing; model.fc1.weight is not known; model.fc1.bias is not known; model.fc2.weight is not known; model.fc1.running_mean is not known and 3 more. Restore the state of a trainer with the same model and optimizer.]`,
    );
    const other = { 'model.weight': { dtype: 'F32', shape: [2], data: new Float32Array(2) } } as const;
    expect(() => trainer.restore({ step: 1, tensors: other })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: state must fit the model and the optimizer, got differences: model.weight is F32 [2] instead of F32 []. Restore the state of a trainer with the same model and optimizer.]`,
    );
    expect([(await weight.data())[0], trainer.stepsDone]).toEqual([2, 0]);
  });

  it('warns once of trainable variables that the loss uses and nothing trains', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const x = tf.scalar(1);
    const other = tf.variable(tf.scalar(3), true, `other ${Math.random()}`);
    const frozen = tf.variable(tf.scalar(3), false);
    const weight = tf.variable(tf.scalar(2));
    const loss = () => ({ loss: tf.square(tf.mul(tf.mul(weight, other), frozen)) });
    const { trainer } = square({ parameters: { weight }, loss });
    await trainer.step({ x });
    await trainer.step({ x });
    expect(warn.mock.calls.map(([text]) => text.replaceAll(other.name, '<other>'))).toMatchInlineSnapshot(`
      [
        "Trainer: the loss uses 1 trainable variables that are not in parameters, so they stay as they are: <other>. Add them with namedWeights({ encoder, head }), or freeze them: \`layer.trainable = false\`.",
      ]
    `);
    warn.mockClear();
    const both = square({ parameters: { weight, other }, loss });
    await both.trainer.step({ x });
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it('says what is wrong with its options', () => {
    const weight = tf.variable(tf.scalar(1));
    expect(() => square({ schedule: 0.001 as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: Trainer: schedule must be a function, got 0.001. Pass constantSchedule({ learningRate: 0.001 }) for one learning rate, or (step) => rate.]`,
    );
    expect(() => square({ optimizer: tf.train.adam(0.001) as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: Trainer: optimizer must be one of the trainer, got Adam of TensorFlow.js. Pass adam(), adamW(), sgd() or lars(); the learning rate comes from \`schedule\`.]`,
    );
    expect(() => square({ loss: undefined as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: Trainer: loss must be a function, got undefined. Pass ({ x }) => ({ loss }), which computes a scalar of the inputs.]`,
    );
    expect(() => square({ parameters: [tf.scalar(1)] as never })).toThrow(/must be a tf.Variable/);
    expect(() => square({ clipNorm: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: clipNorm must be a finite number above 0, got 0. Leave it out for no clipping.]`,
    );
    expect(() => square({ clipNorm: Number.POSITIVE_INFINITY })).toThrow(/clipNorm must be .*, got Infinity/);
    expect(() => square({ parameters: {} })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: parameters must hold at least one variable, got none. Pass the weights to train.]`,
    );
    expect(() => square({ parameters: { weight }, buffers: { weight } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: a name must be a parameter or a buffer, got both for weight. Rename one.]`,
    );
    expect(() => square({ parameters: { a: weight, b: weight } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: a variable must have one name, got 'a' and 'b'. Drop one.]`,
    );
    expect(() =>
      square({ inputs: { x: { shape: [] }, 'optimizer.scalars': { shape: [] } } as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: inputs must not have the name 'optimizer.scalars', which the trainer uses, got 'optimizer.scalars'. Choose another name.]`,
    );
  });

  it('leaves nothing behind of steps that fail', async () => {
    const variable = tf.variable(tf.scalar(2));
    const { trainer } = square({
      parameters: { variable },
      loss: ({ x }) => {
        const loss = tf.square(tf.mul(x, variable));
        return { loss, metrics: { product: tf.stack([loss, loss]) } };
      },
    });
    const x = tf.scalar(1);
    await expectNoLeak(async () => {
      for (let i = 0; i < 3; i++) expect(await messageOf(trainer.step({ x }))).toContain("metric 'product' must be");
    });
    trainer.dispose();
  });

  it('says what is wrong with the loss and the schedule', async () => {
    const x = tf.scalar(1);
    const unused = tf.variable(tf.scalar(1));
    const of = (options: object): Promise<string> => messageOf(square(options).trainer.step({ x }));
    expect(await of({ loss: () => ({ loss: tf.square(tf.tensor1d([1, 2])) }) })).toMatchInlineSnapshot(
      `"Trainer: loss must be a scalar tensor, got shape [2]. Return \`{ loss, metrics: { name: scalar } }\`, and take the mean over the batch."`,
    );
    expect(await of({ loss: () => ({}) })).toMatchInlineSnapshot(
      `"Trainer: loss must be a scalar tensor, got undefined. Return \`{ loss, metrics: { name: scalar } }\`, and take the mean over the batch."`,
    );
    const loss = tf.variable(tf.scalar(1));
    const unusedToo = { parameters: { loss, unused }, loss: () => ({ loss: tf.square(loss) }) };
    expect(await of(unusedToo)).toMatchInlineSnapshot(
      `"Trainer: parameters must all get a gradient, got none for unused. Leave out what the loss does not depend on, and what is not trainable."`,
    );
    expect(await of({ schedule: () => Number.NaN })).toMatchInlineSnapshot(
      `"Trainer: schedule must give a finite learning rate of at least 0, got NaN at step 0. Correct the schedule."`,
    );
    expect(await of({ inputs: { x: { shape: [3] } } })).toMatchInlineSnapshot(
      `"compile: inputs.x must be float32 of shape [3], got float32 of shape []. A step is compiled for one shape: compile another step for other shapes."`,
    );
  });
});
