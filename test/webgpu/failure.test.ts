import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { currentEngine, startEngine } from '@tfjs-ssl/engine';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { describeEngines } from '@tfjs-ssl/testing';
import { adam, type Cursor, constantSchedule, RunFolder, Trainer, type TrainerState } from '@tfjs-ssl/trainer';
import { expect, it, onTestFinished } from 'vitest';

const [rows, columns, stepsPerEpoch, epochs] = [16, 8, 6, 3];

const values = (count: number, key: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * (key + 1)));

/** A linear model; always the same at its start. */
function linear(): Trainer<{ x: { shape: readonly [number, number] } }> {
  const weight = tf.tidy(() => tf.variable(tf.tensor2d(values(columns, 1), [columns, 1])));
  return new Trainer({
    parameters: { weight },
    inputs: { x: { shape: [rows, columns] } },
    loss: ({ x }) => tf.mean(tf.square(tf.sub(tf.matMul(x, weight), 1))),
    optimizer: adam(),
    schedule: constantSchedule({ learningRate: 0.05 }),
  });
}

async function* batches({ epoch, step }: Cursor): AsyncGenerator<number> {
  for (let i = step; i < stepsPerEpoch; i++) yield epoch * stepsPerEpoch + i;
}

/** Trains from where the folder is to the end, or up to the failure. `onStep` is told every step. */
async function train(
  run: RunFolder,
  onStep: (step: number) => void = () => {},
): Promise<{ from: number; state: TrainerState }> {
  const trainer = linear();
  await run.restore(trainer);
  const from = trainer.stepsDone;
  const events = trainer.fit({
    epochs,
    stepsPerEpoch,
    imagesPerStep: rows,
    run,
    batches,
    inputs: (batch: number) => ({ x: tf.tensor2d(values(rows * columns, batch), [rows, columns]) }),
    on: { step: ({ step }) => onStep(step) },
  });
  for await (const _ of events);
  return { from, state: await trainer.snapshot() };
}

async function temporaryRun(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'failure-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'run');
}

const device = (): GPUDevice => (tf.backend() as unknown as { device: GPUDevice }).device;

/** Takes memory until the device has no more; it is never written, so that none is really used. */
function exhaust(): void {
  const { maxBufferSize, maxStorageBufferBindingSize } = device().limits;
  const elements = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4);
  const gpu = tf.backend() as unknown as { output(shape: number[]): tf.TensorInfo };
  for (let i = 0; i < 4096; i++) gpu.output([elements]);
}

describeEngines('a training whose device fails', () => {
  it.for([
    ['is lost', (): void => device().destroy(), /^engine-webgpu: the GPU was lost .*resume from the last checkpoint/s],
    [
      'has no memory left',
      exhaust,
      /^engine-webgpu: the memory of the GPU is exhausted: .*resume from the last checkpoint/s,
    ],
  ] as const)(
    'ends with the reason where it %s, and goes on from the last checkpoint',
    async ([what, fail, message], { skip }) => {
      skip(
        what === 'has no memory left' && /llvmpipe/.test(currentEngine().device),
        'this driver promises memory without end',
      );
      const unbroken = await train(await RunFolder.create(await temporaryRun(), { seed: 1 }));
      const path = await temporaryRun();
      const failing = train(await RunFolder.create(path, { seed: 1 }), (step) => {
        if (step === stepsPerEpoch + 3) fail();
      });
      await expect(failing).rejects.toThrow(message);

      await webgpuEngine.stop(); // as a new process would start
      await startEngine('webgpu');
      const resumed = await train(await RunFolder.resume(path, { seed: 1 }));
      expect(resumed).toEqual({ from: stepsPerEpoch, state: unbroken.state });
    },
  );
});
