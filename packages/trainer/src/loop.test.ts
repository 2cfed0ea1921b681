import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import {
  collect,
  messageOf,
  stepsPerEpoch,
  temporaryFolder,
  tinyBatches,
  tinyFit,
  tinyInputs,
  tinyTrainer,
} from '../test-support/tiny-run.ts';
import { DivergenceError } from './divergence-error.ts';
import { type Cursor, type FitEvent, lastEvent, RunFolder, sgd, Trainer } from './index.ts';

const name = (event: FitEvent): string =>
  event.type === 'step' ? `step ${event.step}` : event.type === 'epoch' ? `epoch ${event.epoch}` : event.type;

describeEngines('Trainer.fit', () => {
  it('yields steps, epochs and the end, in order', async () => {
    const events = await collect(tinyTrainer().fit({ ...tinyFit, epochs: 2 }));
    expect(events.map(name)).toEqual([
      'step 0',
      'step 1',
      'step 2',
      'epoch 0',
      'step 3',
      'step 4',
      'step 5',
      'epoch 1',
      'end',
    ]);
    expect(events.at(-1)).toEqual({ type: 'end', stepsDone: 6, checkpoint: null });
  });

  it('throws what stopped it, with what kept its record from being written as the cause', async () => {
    const run = await RunFolder.create(join(await temporaryFolder(), 'run'), { seed: 1 });
    const [stopped, full] = [new Error('the batch is damaged'), new Error('the disk is full')];
    vi.spyOn(run, 'flush').mockRejectedValue(full);
    const inputs = () => {
      throw stopped;
    };
    await expect(collect(tinyTrainer().fit({ ...tinyFit, inputs, epochs: 1, run }))).rejects.toBe(stopped);
    expect(stopped.cause).toBe(full);
    const unharmed = tinyTrainer().fit({ ...tinyFit, epochs: 1, run });
    await expect(collect(unharmed)).rejects.toBe(full);
  });

  it('ends with an error where the last update overflows, whether a folder keeps the run or not', async () => {
    const weight = tf.variable(tf.ones([2]));
    const trainer = (): Trainer<{ x: { shape: [2] } }> =>
      new Trainer({
        parameters: { weight },
        inputs: { x: { shape: [2] } },
        loss: ({ x }) => tf.sum(tf.mul(weight, x)),
        optimizer: sgd(),
        schedule: (step) => (step === 1 ? 1e10 : 1e-3),
      });
    const options = {
      epochs: 1,
      stepsPerEpoch: 2,
      imagesPerStep: 1,
      batches: async function* () {
        yield* [1, 1e30];
      },
      inputs: (value: number) => ({ x: tf.fill([2], value) }),
    };
    const events: string[] = [];
    const train = async (run?: RunFolder): Promise<void> => {
      for await (const event of trainer().fit({ ...options, ...(run && { run }) })) events.push(name(event));
    };
    await expect(train()).rejects.toBeInstanceOf(DivergenceError);
    events.length = 0;
    weight.assign(tf.ones([2]));
    const alone = await messageOf(train());
    expect(events).toEqual(['step 0', 'step 1', 'epoch 0']);
    weight.assign(tf.ones([2]));
    const kept = await messageOf(train(await RunFolder.create(join(await temporaryFolder(), 'run'), { seed: 1 })));
    expect([alone, kept]).toMatchInlineSnapshot(`
      [
        "Trainer: 'model.weight' holds values that are not finite: an update overflowed. Lower the learning rate, or set \`clipNorm\`, and train again from the last state that is intact.",
        "Trainer: 'model.weight' must be finite to be saved, got NaN or infinity. Lower the learning rate, or set \`clipNorm\`, and continue from the last checkpoint, which is intact.",
      ]
    `);
  });

  it('means the losses and metrics of an epoch, and sums its seconds', async () => {
    const events = await collect(tinyTrainer().fit({ ...tinyFit, epochs: 1 }));
    const steps = events.filter((event) => event.type === 'step');
    const [epoch] = events.filter((event) => event.type === 'epoch');
    const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
    expect(epoch).toMatchObject({ epoch: 0, stepsDone: 3, steps: 3, learningRate: 0.02 });
    expect(epoch!.loss).toBeCloseTo(sum(steps.map(({ loss }) => loss)) / 3, 12);
    expect(epoch!.metrics.error).toBeCloseTo(sum(steps.map(({ metrics }) => metrics.error)) / 3, 12);
    expect(epoch!.seconds.step).toBeCloseTo(sum(steps.map(({ seconds }) => seconds.step)), 12);
    expect(epoch!.imagesPerSecond).toBeCloseTo(12 / sum(Object.values(epoch!.seconds)), 6);
  });

  it('tells waiting for data from making tensors from training', async () => {
    let clock = 0;
    const watch = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    onTestFinished(() => watch.mockRestore());
    const trainer = tinyTrainer();
    const { step: run } = trainer;
    vi.spyOn(trainer, 'step').mockImplementation((inputs) => {
      clock += 40;
      return run.call(trainer, inputs);
    });
    const fit = trainer.fit({
      ...tinyFit,
      epochs: 1,
      batches: async function* (cursor) {
        for await (const batch of tinyBatches(cursor)) {
          clock += 60;
          yield batch;
        }
      },
      inputs: (batch) => {
        clock += 30;
        return tinyInputs(batch);
      },
    });
    let step = 0;
    for await (const event of fit) {
      if (event.type !== 'step') continue;
      expect(event.seconds.load).toBeCloseTo(0.06, 12);
      expect(event.seconds.prepare).toBeCloseTo(0.03, 12);
      expect(event.seconds.step).toBeCloseTo(0.04, 12);
      expect(event.imagesPerSecond).toBeCloseTo(4 / 0.13, 9);
      step++;
      clock += 300; // the consumer's own time is nobody's
    }
    expect(step).toBe(3);
  });

  it('calls back with each event before it yields it', async () => {
    const called: string[] = [];
    const note = async (event: FitEvent): Promise<void> => {
      await Promise.resolve();
      called.push(name(event));
    };
    const last = await lastEvent(
      tinyTrainer().fit({ ...tinyFit, epochs: 1, on: { step: note, epoch: note, end: note } }),
    );
    expect(called).toEqual(['step 0', 'step 1', 'step 2', 'epoch 0', 'end']);
    expect(last.type).toBe('end');
  });

  it('asks for the data from where it stands', async () => {
    const trainer = tinyTrainer();
    for (let i = 0; i < 4; i++) await trainer.step(tinyInputs(i));
    const asked: Cursor[] = [];
    const seen: Cursor[] = [];
    const fit = trainer.fit({
      ...tinyFit,
      epochs: 3,
      checkTensors: false,
      batches: (cursor) => {
        asked.push(cursor);
        return tinyBatches(cursor);
      },
      inputs: (batch, cursor) => {
        seen.push(cursor);
        return tinyInputs(batch);
      },
    });
    const events = await collect(fit);
    expect(asked).toEqual([
      { epoch: 1, step: 1 },
      { epoch: 2, step: 0 },
    ]);
    expect(seen.slice(0, 3)).toEqual([
      { epoch: 1, step: 1 },
      { epoch: 1, step: 2 },
      { epoch: 2, step: 0 },
    ]);
    expect(events.filter((event) => event.type === 'epoch').map(({ steps }) => steps)).toEqual([2, 3]);
  });

  it('stops after the step in progress when its signal says so', async () => {
    const stop = new AbortController();
    const trainer = tinyTrainer();
    const events: string[] = [];
    for await (const event of trainer.fit({ ...tinyFit, epochs: 2, signal: stop.signal })) {
      events.push(name(event));
      if (event.type === 'step' && event.step === 3) stop.abort();
    }
    expect(events).toEqual(['step 0', 'step 1', 'step 2', 'epoch 0', 'step 3', 'interrupted']);
    expect(trainer.stepsDone).toBe(4);
    expect((await collect(trainer.fit({ ...tinyFit, epochs: 2, signal: stop.signal }))).map(name)).toEqual([
      'interrupted',
    ]);
  });

  it('lets a timer stop it in the midst of its epochs', async () => {
    const stop = new AbortController();
    const fit = tinyTrainer().fit({ ...tinyFit, epochs: 1000, signal: stop.signal });
    setTimeout(() => stop.abort());
    expect((await lastEvent(fit)).type).toBe('interrupted');
  });

  it('is at its end when the signal comes with the last step', async () => {
    const stop = new AbortController();
    const fit = tinyTrainer().fit({ ...tinyFit, epochs: 1, signal: stop.signal, on: { epoch: () => stop.abort() } });
    expect((await lastEvent(fit)).type).toBe('end');
  });

  it.each(['break', 'throw'])('closes the data and leaves no tensors behind on %s', async (way) => {
    const trainer = tinyTrainer();
    await trainer.step(tinyInputs(0));
    let closed = 0;
    const batches = async function* (cursor: Cursor): AsyncGenerator<number> {
      try {
        yield* tinyBatches(cursor);
      } finally {
        closed++;
      }
    };
    await expectNoLeak(async () => {
      const leave = async (): Promise<void> => {
        for await (const _ of trainer.fit({ ...tinyFit, epochs: 2, batches })) {
          if (way === 'throw') throw new Error('the consumer gave up');
          break;
        }
      };
      if (way === 'throw') await expect(leave()).rejects.toThrow('the consumer gave up');
      else await leave();
    });
    expect(closed).toBe(1);
    expect(trainer.stepsDone).toBe(2);
  });

  it('disposes the inputs of a step that fails', async () => {
    const trainer = tinyTrainer();
    await trainer.step(tinyInputs(0));
    const inputs = (): { x: tf.Tensor; y: tf.Tensor } => ({ x: tf.zeros([7]), y: tf.zeros([7]) });
    await expectNoLeak(async () => {
      await expect(collect(trainer.fit({ ...tinyFit, epochs: 1, inputs }))).rejects.toThrow('inputs.x must be float32');
    });
  });

  it('notices a step that leaves tensors behind', async () => {
    const kept: tf.Tensor[] = [];
    const inputs = (batch: number) => {
      kept.push(tf.scalar(batch));
      return tinyInputs(batch);
    };
    expect(await messageOf(collect(tinyTrainer().fit({ ...tinyFit, epochs: 1, inputs })))).toMatch(
      /step 0 must leave \d+ tensors alive, as many as before it, got \d+\. Dispose every tensor that `inputs` and `loss` make/,
    );
  });

  it('says that the data end too early', async () => {
    const fit = tinyTrainer().fit({
      ...tinyFit,
      epochs: 2,
      batches: (cursor) => tinyBatches(cursor, stepsPerEpoch - 1),
    });
    expect(await messageOf(collect(fit))).toMatchInlineSnapshot(
      `"Trainer.fit: batches must give 3 batches from step 0 of epoch 0, got 2. Correct stepsPerEpoch, or let the data set drop its last incomplete batch."`,
    );
  });

  it('says what is wrong with its options', async () => {
    const trainer = tinyTrainer();
    const of = (options: object): Promise<string> =>
      messageOf(collect(trainer.fit({ ...tinyFit, epochs: 1, ...options })));
    expect(await of({ epochs: 0 })).toMatchInlineSnapshot(
      `"Trainer.fit: epochs must be an integer of at least 1, got 0. It is a whole number of them."`,
    );
    expect(await of({ stepsPerEpoch: 1.5 })).toMatchInlineSnapshot(
      `"Trainer.fit: stepsPerEpoch must be an integer of at least 1, got 1.5. It is a whole number of them."`,
    );
    expect(await of({ checkpointEvery: Number.NaN })).toMatchInlineSnapshot(
      `"Trainer.fit: checkpointEvery must be an integer of at least 1, got NaN. It is a whole number of them."`,
    );
  });
});
