import { describe, expect, it } from 'vitest';
import { firstAndLastTenth } from './index.ts';

describe('firstAndLastTenth', () => {
  it('means the first and the last tenth', () => {
    const values = Array.from({ length: 29 }, (_, i) => i);
    expect(firstAndLastTenth(values)).toEqual({ first: 0.5, last: 27.5 });
    expect(firstAndLastTenth([3])).toEqual({ first: 3, last: 3 });
  });

  it('needs a value', () => {
    expect(() => firstAndLastTenth([])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: firstAndLastTenth: values must hold at least one number, got none. Train a step first.]`,
    );
  });
});
