import * as tf from '@tensorflow/tfjs-core';
import { currentEngine } from '@tfjs-ssl/engine';
import { batchNorm, conv2d, globalAveragePool } from '@tfjs-ssl/layers';
import { ntXentWithRanks } from '@tfjs-ssl/losses';
import { describeEngines } from '@tfjs-ssl/testing';
import { adam, constantSchedule, Trainer } from '@tfjs-ssl/trainer';
import { expect, it } from 'vitest';

const size = 8;

/** What the engine says of its memory. */
interface Pool {
  readonly numBytesUsed: number;
  readonly numBytesAllocated: number;
}

const pool = (): Pool => (tf.backend() as unknown as { pool: Pool }).pool;

/** All counters that would grow with a leak: tensors, their data and bytes, the engine's buffers in use and on the device. */
function memory() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  const { numBytesUsed, numBytesAllocated } = pool();
  return { numTensors, numDataBuffers, numBytes, numBytesUsed, numBytesAllocated };
}

const images = (rows: number, edge: number, key: number): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: rows * edge * edge * 3 }, (_, i) => Math.sin((i + 1) * 12.9898 + key)),
    [rows, edge, edge, 3],
  );

describeEngines('the memory of the device', () => {
  it('is flat over thousands of replayed steps and hundreds of others of changing shapes', async () => {
    // SwiftShader, by far the slowest driver, sees a few of them
    const [replayed, eager] = /SwiftShader/i.test(currentEngine().device) ? [40, 12] : [2000, 200];
    console.log(`${replayed} replayed steps, ${eager} others`);
    const [convolution, norm, pooling] = [
      conv2d({ filters: 4, kernelSize: 3, padding: 1 }),
      batchNorm(),
      globalAveragePool(),
    ];
    const encode = (x: tf.Tensor): tf.Tensor2D =>
      pooling.apply(norm.apply(convolution.apply(x) as tf.Tensor, { training: true }) as tf.Tensor) as tf.Tensor2D;
    tf.dispose(tf.tidy(() => encode(tf.zeros([2, size, size, 3])))); // makes the weights
    const [kernel, scale, shift, mean, variance] = [...convolution.weights, ...norm.weights].map((w) =>
      w.read(),
    ) as tf.Variable[];
    const trainer = new Trainer({
      parameters: { kernel: kernel!, scale: scale!, shift: shift! },
      buffers: { mean: mean!, variance: variance! },
      inputs: { x: { shape: [4, size, size, 3] } },
      loss: ({ x }) => ({ loss: ntXentWithRanks(encode(x), { temperature: 0.5 }).loss }),
      optimizer: adam(),
      schedule: constantSchedule({ learningRate: 1e-3 }),
    });
    const steps = async (count: number) => {
      let started: Promise<{ loss: number }> | undefined;
      for (let i = 0; i < count; i++) {
        const x = images(4, size, i % 5);
        const next = trainer.step({ x });
        x.dispose();
        await started; // one step ahead, as the trainer's loop is
        started = next;
      }
      return (await started)?.loss;
    };
    const others = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const x = images(2 + 2 * (i % 2), size + 2 * (i % 3), i);
        const loss = tf.tidy(() => ntXentWithRanks(encode(x), { temperature: 0.5 }).loss);
        expect(Number.isFinite((await loss.data())[0])).toBe(true);
        tf.dispose([x, loss]);
      }
    };
    await steps(10);
    await others(6); // every shape once
    const before = memory();
    const half = [];
    for (let part = 0; part < 4; part++) {
      const loss = await steps(replayed / 4);
      await others(eager / 4);
      half.push(memory());
      expect(Number.isFinite(loss)).toBe(true);
    }
    expect(half).toEqual(half.map(() => before));
    trainer.dispose();
  });
});
