import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, disposeVariables } from '@tfjs-ssl/testing';
import type { TrainerState } from '@tfjs-ssl/trainer';
import { expect, it } from 'vitest';
import { branchInputs, branchTrainers } from '../../packages/all/test-support/branch-trainers.ts';

const steps = 20;

describeEngines('a replayed training of two branches', () => {
  it.each(Object.entries(branchTrainers))(
    `of %s equals the eager one bit for bit over ${steps} steps`,
    { timeout: 900_000 },
    async (_, make) => {
      /** The first step of a trainer runs eagerly: a new one for each step never records. */
      const train = async (newEachStep: boolean) => {
        let trainer = make();
        let state: TrainerState | undefined;
        const losses: number[] = [];
        for (let i = 0; i < steps; i++) {
          if (newEachStep && i > 0) {
            state = await trainer.snapshot();
            trainer.dispose();
            disposeVariables();
            trainer = make();
            trainer.restore(state);
          }
          const inputs = branchInputs(i);
          const { loss, metrics } = await trainer.step(inputs);
          losses.push(loss, metrics.deviation);
          tf.dispose(inputs);
          if (i === steps / 2) await trainer.checkStep();
        }
        const end = await trainer.snapshot();
        trainer.dispose();
        disposeVariables();
        return { losses, end };
      };
      const replayed = await train(false);
      const eager = await train(true);
      expect(replayed.losses).toEqual(eager.losses);
      expect(replayed.end).toEqual(eager.end);
      expect(new Set(eager.losses).size).toBeGreaterThan(steps);
    },
  );
});
