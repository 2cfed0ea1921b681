import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';

interface Comparison {
  readonly op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
  readonly compare: (a: number, b: number) => boolean;
}

const comparisons: Readonly<Record<string, Comparison>> = {
  equal: { op: tf.equal, compare: (a, b) => a === b },
  notEqual: { op: tf.notEqual, compare: (a, b) => a !== b },
  less: { op: tf.less, compare: (a, b) => a < b },
  lessEqual: { op: tf.lessEqual, compare: (a, b) => a <= b },
  greater: { op: tf.greater, compare: (a, b) => a > b },
  greaterEqual: { op: tf.greaterEqual, compare: (a, b) => a >= b },
};

/** Neighbours that are one number as float32. */
const integers = [0, -1, 2 ** 24, 2 ** 24 + 1, -(2 ** 24), -(2 ** 24) - 1, 2 ** 31 - 1, 2 ** 31 - 2, -(2 ** 31)];

const values = (tensor: tf.Tensor): Promise<number[]> =>
  tensor.data().then((data) => {
    tensor.dispose();
    return Array.from(data);
  });

describeEngines('integers', () => {
  describe.each(Object.entries(comparisons))('%s of integers', (_, { op, compare }) => {
    const run = (a: tf.Tensor, b: tf.Tensor): Promise<number[]> => values(tf.tidy(() => op(a, b)));

    it('is exact', async () => {
      const [column, row] = [tf.tensor2d(integers, [9, 1], 'int32'), tf.tensor1d(integers, 'int32')];
      const expected = integers.flatMap((a) => integers.map((b) => Number(compare(a, b))));
      expect(await run(column, row)).toEqual(expected);
    });

    it('takes every broadcast', async () => {
      const shapes: Array<[number[], number[]]> = [
        [[], []],
        [[3], []],
        [
          [2, 3],
          [2, 3],
        ],
        [
          [2, 1, 3],
          [4, 1],
        ],
        [
          [1, 1, 2, 1],
          [3, 2, 1, 5],
        ],
        [
          [2, 1, 1, 3, 1],
          [2, 1, 4],
        ],
        [
          [0, 3],
          [1, 3],
        ],
      ];
      for (const shape of shapes) {
        const [a, b] = shape.map((of, side) => {
          const size = of.reduce((product, length) => product * length, 1);
          return tf.tensor(
            Int32Array.from({ length: size }, (_, i) => (i * (3 + side)) % 4),
            of,
            'int32',
          );
        }) as [tf.Tensor, tf.Tensor];
        const expanded = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
        const [plainA, plainB] = await Promise.all(
          [a, b].map((x) => values(tf.tidy(() => tf.broadcastTo(x, expanded)))),
        );
        expect(await run(a, b), `${a.shape} with ${b.shape}`).toEqual(
          plainA!.map((value, i) => Number(compare(value, plainB![i]!))),
        );
        tf.dispose([a, b]);
      }
    });

    it('leaves other numbers to the stock kernel', async () => {
      expect(await run(tf.tensor1d([0.5, 1.5, -2]), tf.tensor1d([0.25, 1.5, 3]))).toEqual(
        [
          [0.5, 0.25],
          [1.5, 1.5],
          [-2, 3],
        ].map(([a, b]) => Number(compare(a!, b!))),
      );
    });
  });

  it('are copied as they are', async () => {
    const [n, max] = [2 ** 24 + 1, 2 ** 31 - 1];
    const x = tf.tensor3d([n, -n, max, -max, 1, 2, n + 2, n + 4, 3, 4, max - 2, 5], [2, 3, 2], 'int32');
    expect(await values(tf.slice(x, [0, 1, 0], [2, 1, 2]))).toEqual([max, -max, 3, 4]);
    expect(await values(tf.slice(x, [1, 1, 1], [1, -1, 1]))).toEqual([4, 5]);
    expect(await values(tf.slice(x, [1, 0, 0], [1, 0, 2]))).toEqual([]);
    const [a, b] = [
      tf.tensor2d([n, max, -n, n + 2], [2, 2], 'int32'),
      tf.tensor2d([max - 1, 1 - max], [2, 1], 'int32'),
    ];
    expect(await values(tf.concat([a, b, a], 1))).toEqual([n, max, max - 1, n, max, -n, n + 2, 1 - max, -n, n + 2]);
    expect(await values(tf.concat([a, a]))).toEqual([n, max, -n, n + 2, n, max, -n, n + 2]);
    const none = tf.zeros<tf.Rank.R2>([0, 2], 'int32');
    expect(await values(tf.concat([none, a]))).toEqual([n, max, -n, n + 2]);
    tf.dispose([x, a, b, none]);
  });
});
