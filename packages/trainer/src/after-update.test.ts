import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type AfterUpdate, adam, constantSchedule, sgd, Trainer, type TrainerOptions } from './index.ts';

type Options = Partial<TrainerOptions<Record<never, never>, never>>;

/** loss = weight^2 / 2, so that the gradient is the weight */
function square(options: Options = {}) {
  const weight = tf.variable(tf.scalar(8));
  const trainer = new Trainer({
    parameters: { weight },
    inputs: {},
    loss: () => tf.mul(tf.square(weight), 0.5),
    optimizer: sgd(),
    schedule: constantSchedule({ learningRate: 0.5 }),
    ...options,
  });
  return { weight, trainer };
}

/** Adds a number of the step and the new weight to a sum. */
function summing(weight: () => tf.Tensor): AfterUpdate & { sum: tf.Variable } {
  const sum = tf.variable(tf.tensor1d([0]), false);
  return {
    sum,
    variables: { sum },
    scalars: (step) => [100 * step, 1000],
    update: (numbers) => sum.assign(tf.add(sum, tf.add(tf.slice(numbers, 0, 1), weight())) as tf.Tensor1D),
  };
}

describeEngines('afterUpdate', () => {
  it('runs after the update with the numbers of its step, in order', async () => {
    const seen = tf.variable(tf.tensor1d([0]), false);
    const first = summing(() => weight);
    const copy: AfterUpdate = { update: () => seen.assign(tf.mul(first.sum, 2) as tf.Tensor1D) };
    const second = summing(() => tf.mul(weight, -1));
    const { weight, trainer } = square({ afterUpdate: { first, copy, second } });
    await trainer.step({}); // 8 - 4 = 4
    await expectClose(first.sum, [4], {});
    await expectClose(seen, [8], {});
    await trainer.step({}); // 4 - 2 = 2
    await expectClose(weight, [2], {});
    await expectClose(first.sum, [4 + 102], {});
    await expectClose(seen, [212], {});
    await expectClose(second.sum, [-4 + 98], {});
  });

  it('is saved with the run, and goes on exactly', async () => {
    const make = () => {
      const sum = summing(() => made.weight);
      const made: ReturnType<typeof square> = square({ optimizer: adam(), afterUpdate: { sum } });
      return made;
    };
    const unbroken = make();
    for (let i = 0; i < 3; i++) await unbroken.trainer.step({});
    const state = await unbroken.trainer.snapshot();
    expect(Object.keys(state.tensors)).toEqual([
      'model.weight',
      'optimizer.firstMoment.weight',
      'optimizer.secondMoment.weight',
      'afterUpdate.sum.sum',
    ]);
    for (let i = 0; i < 3; i++) await unbroken.trainer.step({});
    const resumed = make();
    resumed.trainer.restore(state);
    for (let i = 0; i < 3; i++) await resumed.trainer.step({});
    expect(await resumed.trainer.snapshot()).toEqual(await unbroken.trainer.snapshot());
  });

  it('leaves no tensors behind', async () => {
    const sum = summing(() => weight);
    const { weight, trainer } = square({ afterUpdate: { sum } });
    await trainer.step({});
    await expectNoLeak(async () => {
      await trainer.step({});
    });
  });

  it('refuses what is none, and a variable that is saved already', () => {
    expect(() => square({ afterUpdate: { target: {} as AfterUpdate } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: Trainer: afterUpdate.target.update must be a function, got undefined. Pass movingAverage(...), or { variables, update }.]`,
    );
    const weight = tf.variable(tf.scalar(1));
    const twice = { parameters: { weight }, afterUpdate: { target: { variables: { weight }, update: () => {} } } };
    expect(() => square(twice)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: a variable must have one name, got 'weight' and 'target.weight'. Drop one.]`,
    );
  });
});

describeEngines('frozenAtFirst', () => {
  /** Two weights of one gradient, the second frozen for two steps. */
  const two = (options: Options = {}) => {
    const [first, head] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(1))];
    const trainer = new Trainer({
      parameters: { first, 'head.last': head },
      inputs: {},
      loss: () => tf.add(tf.square(first), tf.square(head)),
      optimizer: adam({ weightDecay: 0.1 }),
      schedule: constantSchedule({ learningRate: 0.01 }),
      frozenAtFirst: { parameters: [/^head/], steps: 2 },
      ...options,
    });
    return { first, head, trainer };
  };
  const value = async (variable: tf.Variable) => (await variable.data())[0] as number;

  it('lets parameters start later, as if their first step was then', async () => {
    const { first, head, trainer } = two();
    const seen: Array<[number, number]> = [];
    for (let i = 0; i < 5; i++) {
      await trainer.step({});
      seen.push([await value(first), await value(head)]);
    }
    expect(seen.map(([, b]) => b).slice(0, 2)).toEqual([1, 1]);
    expect(seen.map(([, b]) => b).slice(2)).toEqual(seen.map(([a]) => a).slice(0, 3));
    const { tensors } = await trainer.snapshot();
    expect(tensors['frozenAtFirst.skippedWhileFrozen']?.data[0]).toBe(0);
  });

  it('goes on exactly from within and from behind the frozen steps', async () => {
    const unbroken = two();
    const states = [];
    for (let i = 0; i < 5; i++) {
      states.push(await unbroken.trainer.snapshot());
      await unbroken.trainer.step({});
    }
    const end = await unbroken.trainer.snapshot();
    for (const from of [1, 2, 4]) {
      const { trainer } = two();
      trainer.restore(states[from]!);
      for (let i = from; i < 5; i++) await trainer.step({});
      expect(await trainer.snapshot()).toEqual(end);
    }
  });

  it('leaves no tensors behind', async () => {
    const { trainer } = two({ clipNorm: 1 });
    await trainer.step({});
    await expectNoLeak(async () => {
      for (let i = 0; i < 3; i++) await trainer.step({});
    });
    const before = tf.memory().numTensors;
    const other = two();
    other.trainer.dispose();
    expect(tf.memory().numTensors).toBe(before + 4); // its two variables and what they were made from
  });

  it('refuses names that match nothing or everything, and no steps', () => {
    const before = tf.memory().numTensors;
    const frozen = (parameters: RegExp[], steps = 2) => two({ frozenAtFirst: { parameters, steps } });
    expect(() => frozen([/tail/])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: frozenAtFirst.parameters must match some of the parameters, got /tail/, which match 0 of 2. Names are like 'first'.]`,
    );
    expect(() => frozen([/first/, /head/])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: frozenAtFirst.parameters must match some of the parameters, got /first/, /head/, which match 2 of 2. Names are like 'first'.]`,
    );
    expect(() => frozen([/head/], 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Trainer: frozenAtFirst.steps must be an integer of at least 1, got 0. Leave frozenAtFirst out for none.]`,
    );
    expect(tf.memory().numTensors).toBe(before + 3 * 4); // no slots
  });
});
