import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, disposeVariables, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { branchInputs, branchTrainers } from '../test-support/branch-trainers.ts';

const steps = 12;

/** Trains from a step to another and returns the values of each. */
async function train(trainer: ReturnType<(typeof branchTrainers)['byol']>, from: number, to: number) {
  const results = [];
  for (let i = from; i < to; i++) {
    const inputs = branchInputs(i);
    results.push(await trainer.step(inputs));
    tf.dispose(inputs);
  }
  return results;
}

describeEngines('methods with two branches', () => {
  it.each(Object.entries(branchTrainers))(
    '%s: a resumed run equals an unbroken one bit for bit',
    async (name, make) => {
      const unbroken = make();
      const results = await train(unbroken, 0, steps);
      const end = await unbroken.snapshot();
      expect(results.every(({ loss, metrics }) => Number.isFinite(loss) && metrics.deviation > 0)).toBe(true);
      for (const from of [2, 7]) {
        const first = make();
        await train(first, 0, from);
        const state = await first.snapshot();
        const resumed = make(); // as a new process makes it
        resumed.restore(state);
        expect(await train(resumed, from, steps)).toEqual(results.slice(from));
        expect(await resumed.snapshot()).toEqual(end);
      }
      const names = Object.keys(end.tensors);
      if (name === 'moco') expect(names).toContain('model.queue');
      if (name === 'byol') expect(names).toContain('afterUpdate.target.encoder.bn1.running_var');
      if (name === 'dino') expect(names).toContain('model.center');
      disposeVariables();
    },
  );

  it.each(Object.entries(branchTrainers))('%s: a step leaves nothing behind', async (_, make) => {
    const trainer = make();
    const inputs = branchInputs(0);
    await trainer.step(inputs);
    await expectNoLeak(async () => {
      for (let i = 0; i < 3; i++) await trainer.step(inputs);
    });
    disposeVariables();
  });
});
