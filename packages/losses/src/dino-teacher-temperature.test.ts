import { describe, expect, it } from 'vitest';
import { dinoTeacherTemperature } from './index.ts';

describe('dinoTeacherTemperature', () => {
  it('rises in a line, then stays', () => {
    const at = (step: number) => dinoTeacherTemperature(step, { warmupSteps: 100 });
    expect([0, 100, 101, 1e9].map(at)).toEqual([0.04, 0.07, 0.07, 0.07]);
    expect(at(50)).toBeCloseTo(0.055, 12);
    expect(at(99)).toBeLessThan(0.07);
  });

  it('is linspace(0.04, 0.07, 4) by epochs, and constant without a warm-up', () => {
    const byEpoch = [0, 1, 2, 3, 4].map((epoch) => dinoTeacherTemperature(epoch, { warmupSteps: 3 }));
    [0.04, 0.05, 0.06, 0.07, 0.07].forEach((expected, epoch) => {
      expect(byEpoch[epoch]).toBeCloseTo(expected, 12);
    });
    expect(dinoTeacherTemperature(0, { warmupSteps: 0, end: 0.05 })).toBe(0.05);
  });

  it('refuses what is out of range', () => {
    const options = { warmupSteps: 10 };
    expect(() => dinoTeacherTemperature(-1, options)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoTeacherTemperature: step must be a finite number of at least 0, got -1. The first is 0.]`,
    );
    expect(() => dinoTeacherTemperature(0, { warmupSteps: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoTeacherTemperature: warmupSteps must be an integer of at least 0, got 0.5. 0 is a constant temperature.]`,
    );
    expect(() => dinoTeacherTemperature(0, { ...options, start: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoTeacherTemperature: start must be a finite number above 0, got 0. The paper goes from 0.04 to 0.07.]`,
    );
    expect(() => dinoTeacherTemperature(0, { ...options, end: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoTeacherTemperature: end must be a finite number above 0, got NaN. The paper goes from 0.04 to 0.07.]`,
    );
  });
});
