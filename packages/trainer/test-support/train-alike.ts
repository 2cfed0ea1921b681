import * as tf from '@tensorflow/tfjs-core';
import { currentEngine, type InputSpecs, type InputTensors } from '@tfjs-ssl/engine';
import { expect, it } from 'vitest';
import type { Trainer } from '../src/index.ts';

type Precision = 'float32' | 'mixed';

/**
 * Adds a test for each precision: six steps, each in a trainer of its own, which records nothing and starts from the state of the one before,
 * give the losses and the state of six steps in one trainer, bit for bit.
 */
export function itTrainsResumedAndRecordedAlike<Inputs extends InputSpecs, Metric extends string>(
  name: string,
  make: (precision: Precision) => Trainer<Inputs, Metric>,
  inputsOf: (step: number) => InputTensors<Inputs>,
): void {
  async function train(fresh: boolean, precision: Precision) {
    let trainer = make(precision);
    const losses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const inputs = inputsOf(i);
      losses.push((await trainer.step(inputs)).loss);
      tf.dispose(inputs);
      if (i === 4) await trainer.checkStep();
      if (!fresh) continue;
      const state = await trainer.snapshot();
      trainer.dispose();
      trainer = make(precision);
      trainer.restore(state);
    }
    const state = await trainer.snapshot();
    trainer.dispose();
    return { losses, state };
  }

  it.for(['float32', 'mixed'] as const)(`${name}, in %s`, async (precision, { skip }) => {
    skip(!currentEngine().precisions.includes(precision), `this engine has no ${precision} precision`);
    const apart = await train(true, precision);
    expect(new Set(apart.losses).size).toBe(6);
    expect(await train(false, precision)).toEqual(apart);
  });
}
