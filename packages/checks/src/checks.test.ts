import { describe, expect, it } from 'vitest';
import { argumentError, isArgumentError, showKind, showTensor, showValue } from './argument-error.ts';
import { checkChoice } from './check-choice.ts';
import { checkNumber, describeRule, obeys } from './check-number.ts';

const fault = { fn: 'grow', argument: 'by', required: 'be above 0', got: -1, advice: 'Pass 1.' };

describe('argumentError', () => {
  it('has the form of the library, and what is wrong as fields', () => {
    const error = argumentError(fault);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe('grow: by must be above 0, got -1. Pass 1.');
    expect(error).toMatchObject({ ...fault, shown: '-1' });
    expect(argumentError({ ...fault, kind: 'type' })).toBeInstanceOf(TypeError);
    expect(argumentError({ ...fault, shown: 'less' }).message).toContain('got less. Pass 1.');
    expect(argumentError({ ...fault, shown: 'two:\n  a\n  b' }).message).toContain('got two:\n  a\n  b\nPass 1.');
    const cause = new Error('the disk is full');
    const failure = argumentError({ ...fault, kind: 'failure', cause });
    expect([failure.name, failure.cause]).toEqual(['Error', cause]);
    expect('cause' in error).toBe(false);
  });

  it('is told from other errors', () => {
    expect(isArgumentError(argumentError(fault))).toBe(true);
    expect(isArgumentError(new RangeError('grow: by must be above 0'))).toBe(false);
    expect(isArgumentError(fault)).toBe(false);
  });

  it('shows values short', () => {
    const list = [undefined, null, Number.NaN, 'a', () => 1, { a: 1 }, new Map(), [1, 2], new Int32Array(9)];
    expect(list.map(showValue)).toEqual([
      'undefined',
      'null',
      'NaN',
      "'a'",
      'a function',
      'an object (Object)',
      'an object (Map)',
      '[1, 2]',
      '[0, 0, 0, 0, 0, 0, 0, 0, ...]',
    ]);
  });

  it('shows tensors by dtype and shape', () => {
    expect(showTensor({ dtype: 'int32', shape: [2, 3] })).toBe('int32 of shape [2, 3]');
    expect(showTensor({ dtype: 'float32', shape: [] })).toBe('float32 of shape []');
  });

  it('shows the kind of a value', () => {
    const list = [undefined, null, 1, 'a', [1], {}, new Float32Array(1), () => 1];
    expect(list.map(showKind)).toEqual([
      'undefined',
      'null',
      'Number',
      'String',
      'Array',
      'Object',
      'Float32Array',
      'Function',
    ]);
  });
});

describe('checkNumber', () => {
  it.each([
    [{}, 'a finite number', [-1, 0.5], [Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, null]],
    [{ min: 1, integer: true }, 'an integer of at least 1', [1, 7], [0, 1.5]],
    [{ above: 0 }, 'a finite number above 0', [1e-9], [0, -1]],
    [{ min: 0, max: 1 }, 'a finite number in [0, 1]', [0, 1], [-0.1, 1.1]],
    [{ min: 0, below: 1 }, 'a finite number in [0, 1)', [0, 0.9], [1]],
    [{ above: 0, max: 1 }, 'a finite number in (0, 1]', [1], [0]],
    [{ below: 2 }, 'a finite number below 2', [1], [2]],
    [{ max: 2 }, 'a finite number of at most 2', [2], [3]],
  ])('%j is %s', (rule, words, good, bad) => {
    expect(describeRule(rule)).toBe(words);
    for (const value of good) expect(() => checkNumber('f', 'a', value, rule, 'Do.')).not.toThrow();
    for (const value of bad) {
      expect(obeys(value, rule)).toBe(false);
      expect(() => checkNumber('f', 'a', value, rule, 'Do.')).toThrow(
        `f: a must be ${words}, got ${showValue(value)}. Do.`,
      );
    }
  });
});

describe('checkChoice', () => {
  it('names what there is', () => {
    expect(() => checkChoice('f', 'mode', 'b', ['a', 'b'])).not.toThrow();
    expect(() => checkChoice('f', 'mode', 3, ['a', 'b', 'c'])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: f: mode must be 'a', 'b' or 'c', got 3. Choose one of these.]`,
    );
  });
});
