import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { collect, stepsPerEpoch, temporaryFolder, tinyFit, tinyTrainer } from '../../test-support/tiny-run.ts';
import {
  adam,
  adamW,
  lars,
  type Optimizer,
  RunFolder,
  type StepRecord,
  sgd,
  type TrainerState,
  warmupCosine,
} from '../index.ts';

const schedule = warmupCosine({ learningRate: 0.05, warmupSteps: 4, totalSteps: 7 * stepsPerEpoch });

const optimizers: Record<string, () => Optimizer> = {
  'sgd with momentum': () => sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
  adam: () => adam({ weightDecay: 1e-4 }),
  adamW: () => adamW({ weightDecay: 1e-2 }),
  lars: () => lars(),
};

interface Outcome {
  readonly state: TrainerState;
  readonly values: Array<Omit<StepRecord, 'seconds' | 'imagesPerSecond'>>;
  readonly epochs: Array<{ epoch: number; loss: number; steps: number }>;
}

/** A process's life: start or resume in a folder, train up to an epoch or leave after a step, as a kill would. */
async function live(
  path: string,
  optimizer: Optimizer,
  epochs: number,
  leaveAfter = Number.POSITIVE_INFINITY,
): Promise<Outcome> {
  const trainer = tinyTrainer({ optimizer, schedule });
  const config = { seed: 1, optimizer: optimizer.config };
  const resumes = await readFile(join(path, 'config.json')).then(
    () => true,
    () => false,
  );
  const run = await (resumes ? RunFolder.resume(path, config) : RunFolder.create(path, config));
  await run.restore(trainer);
  const outcome: Outcome = { state: await trainer.snapshot(), values: [], epochs: [] };
  for await (const event of trainer.fit({ ...tinyFit, epochs, run, checkpointEvery: 2 })) {
    if (event.type === 'epoch') outcome.epochs.push({ epoch: event.epoch, loss: event.loss, steps: event.steps });
    if (trainer.stepsDone >= leaveAfter) break;
  }
  const lines = (await readFile(join(path, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  for (const line of lines) {
    const { seconds: _, imagesPerSecond: __, ...values } = JSON.parse(line) as StepRecord;
    outcome.values.push(values);
  }
  return { ...outcome, state: await trainer.snapshot() };
}

describeEngines('A resumed run', () => {
  it.each(Object.entries(optimizers))(
    'equals an unbroken one bit for bit: 3 + 4 epochs are 7, with %s',
    async (_, make) => {
      const unbroken = await live(join(await temporaryFolder(), 'run'), make(), 7);
      const path = join(await temporaryFolder(), 'run');
      const three = await live(path, make(), 3);
      const seven = await live(path, make(), 7);
      expect(three.state.step).toBe(3 * stepsPerEpoch);
      expect(seven.state).toEqual(unbroken.state);
      expect(seven.values).toEqual(unbroken.values);
      expect([...three.epochs, ...seven.epochs]).toEqual(unbroken.epochs);
      expect(unbroken.values.map(({ step }) => step)).toEqual(Array.from({ length: 7 * stepsPerEpoch }, (_, i) => i));
    },
  );

  it('equals an unbroken one wherever it was left', async () => {
    const unbroken = await live(join(await temporaryFolder(), 'run'), adam(), 3);
    for (let step = 1; step < 3 * stepsPerEpoch; step++) {
      const path = join(await temporaryFolder(), 'run');
      await live(path, adam(), 3, step);
      const checkpoint = Math.floor((step - 1) / 2) * 2;
      const resumed = await live(path, adam(), 3);
      expect(resumed.state).toEqual(unbroken.state);
      expect(resumed.values).toEqual(unbroken.values);
      expect(resumed.epochs).toEqual(unbroken.epochs.filter(({ epoch }) => (epoch + 1) * stepsPerEpoch > checkpoint));
    }
  });

  it('that is complete has nothing more to do', async () => {
    const path = join(await temporaryFolder(), 'run');
    const { state } = await live(path, adam(), 2);
    const trainer = tinyTrainer({ optimizer: adam(), schedule });
    const run = await RunFolder.resume(path, { seed: 1, optimizer: adam().config });
    await run.restore(trainer);
    const events = await collect(trainer.fit({ ...tinyFit, epochs: 2, run }));
    expect(events.map(({ type }) => type)).toEqual(['end']);
    expect(await trainer.snapshot()).toEqual(state);
  });
});
