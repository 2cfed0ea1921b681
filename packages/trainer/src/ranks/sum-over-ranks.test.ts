import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { sumOverRanks } from './sum-over-ranks.ts';

/** Two ranks of which the other always has the same: every operation is known. */
const twins = {
  rank: 0,
  size: 2,
  allReduce: (data: Float32Array) => data.set(data.map((value) => 2 * value)),
  broadcast: () => {},
  allGather: (part: Uint16Array, whole: Uint16Array) => {
    whole.set(part);
    whole.set(part, part.length);
  },
  reduceScatter: () => {},
  // the other sends what this one would: it is given this rank's first part
  allToAll: (sent: Uint16Array, received: Uint16Array) => {
    const own = sent.subarray(0, sent.length / 2);
    received.set(own);
    received.set(own, own.length);
  },
} as unknown as Parameters<typeof sumOverRanks>[0];

describeEngines('sumOverRanks', ({ name }) => {
  it.for([1, 3, 100])('adds in buckets of %d and keeps no result of the call before', (length, { skip }) => {
    skip(name === 'webgpu', 'a GPU cannot be read synchronously');
    const sum = sumOverRanks(twins, 'float32', length);
    const first = sum({ a: tf.tensor2d([1, 2, 3, 4], [2, 2]), b: tf.scalar(5), c: tf.zeros([0]) });
    const second = sum({ a: tf.tensor2d([5, 6, 7, 8], [2, 2]), b: tf.scalar(9), c: tf.zeros([0]) });
    expect(first.a?.arraySync()).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(first.b?.arraySync()).toBe(10);
    expect(first.c?.shape).toEqual([0]);
    expect(second.a?.arraySync()).toEqual([
      [10, 12],
      [14, 16],
    ]);
  });

  it('adds more bfloat16 than fit a block, and fewer after them', ({ skip }) => {
    skip(name === 'webgpu', 'a GPU cannot be read synchronously');
    const sum = sumOverRanks(twins, 'bfloat16');
    for (const half of [3000, 1, 2500]) {
      const part = Array.from({ length: half }, (_, i) => (i % 100) + 64 + 2 ** -10);
      const { a } = sum({ a: tf.tensor1d([...part, ...part]) });
      const expected = part.map((value) => 2 * Math.round(value));
      expect([...(a as tf.Tensor).dataSync()]).toEqual([...expected, ...expected]);
    }
  });
});
