import { describe, expect, it } from 'vitest';
import { confusion } from './index.ts';

describe('confusion', () => {
  it('equals a case worked by hand', () => {
    const labels = [0, 0, 0, 0, 1, 1, 3, 3];
    const predictions = [0, 0, 1, 3, 1, 0, 3, 3];
    const { counts, classAccuracies, pairs } = confusion({ labels, predictions, classes: 4 });
    expect([...counts]).toEqual([2, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    expect(classAccuracies).toEqual([0.5, 0.5, null, 1]);
    expect(pairs).toEqual([
      { label: 1, prediction: 0, count: 1, fraction: 0.5 },
      { label: 0, prediction: 1, count: 1, fraction: 0.25 },
      { label: 0, prediction: 3, count: 1, fraction: 0.25 },
    ]);
    expect(confusion({ labels, predictions, classes: 4, pairs: 1 }).pairs).toEqual(pairs.slice(0, 1));
  });

  it('refuses what does not fit', () => {
    const call = (change: object) => () => confusion({ labels: [0, 1], predictions: [0, 1], classes: 2, ...change });
    expect(call({ labels: [], predictions: [] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: confusion: labels must hold at least one label, got 0. Pass those of the images that were classified.]`,
    );
    expect(call({ predictions: [0] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: confusion: predictions must hold one label per row of features, 2, got 1. Pass both of the same images.]`,
    );
    expect(call({ predictions: [0, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: confusion: predictions must be integers in [0, 2), got 2 in row 1. Number the classes from 0 and set \`classes\`.]`,
    );
    expect(call({ classes: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: confusion: classes must be an integer of at least 2, got 1. With one class every answer is right.]`,
    );
    expect(call({ pairs: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: confusion: pairs must be an integer of at least 0, got -1. Leave it out for 10.]`,
    );
  });
});
