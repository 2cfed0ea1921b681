import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constantSchedule } from './constant-schedule.ts';
import { cosineMomentum } from './cosine-momentum.ts';
import { epochCosine } from './epoch-cosine.ts';
import { warmupCosine } from './warmup-cosine.ts';

describe('constantSchedule', () => {
  it('is constant', () => {
    const schedule = constantSchedule({ learningRate: 0.25 });
    expect([0, 1, 1e6].map(schedule)).toEqual([0.25, 0.25, 0.25]);
  });
});

describe('epochCosine', () => {
  const schedule = epochCosine({ learningRate: 3e-4, stepsPerEpoch: 390, epochs: 390, firstEpoch: 10 });

  it("prints the paper's rates, whose T_max is the steps of an epoch", () => {
    expect([0, 3900, 4289, 19_200, 19_400, 19_499, 19_500].map((step) => schedule(step).toFixed(6))).toEqual([
      '0.000300',
      '0.000300',
      '0.000300',
      '0.000293',
      '0.000293',
      '0.000293',
      '0.000292',
    ]);
  });

  it('changes between epochs only, for the first time at the end of epoch index 10', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(389), (epoch, step) => {
        expect(schedule(390 * epoch + step)).toBe(schedule(390 * epoch));
      }),
    );
    expect(schedule(390 * 10)).toBe(3e-4);
    expect(schedule(390 * 11)).toBeLessThan(3e-4);
  });

  it('reaches 0 after as many changes as epochs', () => {
    const short = epochCosine({ learningRate: 1, stepsPerEpoch: 5, firstEpoch: 2, epochs: 4 });
    expect([0, 10, 15, 20, 30].map((step) => short(step).toFixed(3))).toEqual([
      '1.000',
      '1.000',
      '0.854',
      '0.500',
      '0.000',
    ]);
  });
});

describe('warmupCosine', () => {
  it('rises from 0 to the peak and falls to the final rate, where it stays', () => {
    const schedule = warmupCosine({ learningRate: 2, warmupSteps: 4, totalSteps: 12, finalLearningRate: 1 });
    expect([0, 1, 4, 8, 12, 99].map(schedule)).toEqual([0, 0.5, 2, 1.5, 1, 1]);
  });

  it('starts at the peak without warm-up', () => {
    expect(warmupCosine({ learningRate: 2, warmupSteps: 0, totalSteps: 1 })(0)).toBe(2);
  });

  it('stays between 0 and the peak, never rising after the warm-up', () => {
    const options = fc.record({ warmupSteps: fc.nat(50), rest: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(options, ({ warmupSteps, rest }) => {
        const schedule = warmupCosine({ learningRate: 1, warmupSteps, totalSteps: warmupSteps + rest });
        const rates = Array.from({ length: warmupSteps + rest + 5 }, (_, step) => schedule(step));
        expect(Math.max(...rates)).toBe(1);
        expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
        for (let step = 1; step < rates.length; step++) {
          const change = (rates[step] as number) - (rates[step - 1] as number);
          if (step > warmupSteps) expect(change).toBeLessThanOrEqual(0);
          else expect(change).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('schedules refuse', () => {
  it('rates, counts and steps outside their ranges', () => {
    expect(() => constantSchedule({ learningRate: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: constantSchedule: learningRate must be a finite number of at least 0, got -1. It is a learning rate, such as 0.0003.]`,
    );
    expect(() => constantSchedule({ learningRate: Number.NaN })).toThrow(RangeError);
    expect(() => constantSchedule({ learningRate: 1 })(-1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: constantSchedule: step must be an integer of at least 0, got -1. Steps are counted from 0 over the whole run.]`,
    );
    expect(() => epochCosine({ learningRate: 1, stepsPerEpoch: 0, epochs: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: epochCosine: stepsPerEpoch must be an integer of at least 1, got 0. Round it first.]`,
    );
    expect(() => epochCosine({ learningRate: 1, stepsPerEpoch: 3, epochs: 0.5 })).toThrow(RangeError);
    expect(() => epochCosine({ learningRate: 1, stepsPerEpoch: 3, epochs: 3, firstEpoch: -1 })).toThrow(RangeError);
    expect(() => epochCosine({ learningRate: 1, stepsPerEpoch: 3, epochs: 3 })(0.5)).toThrow(RangeError);
    expect(() => warmupCosine({ learningRate: 1, warmupSteps: 5, totalSteps: 5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: warmupCosine: warmupSteps must be below totalSteps, 5, got 5. Warm up for a part of the run, usually a tenth.]`,
    );
    expect(() => warmupCosine({ learningRate: -1, warmupSteps: 0, totalSteps: 5 })).toThrow(RangeError);
    expect(() => warmupCosine({ learningRate: 1, warmupSteps: 0, totalSteps: 5 })(Number.NaN)).toThrow(RangeError);
  });
});

describe('cosineMomentum', () => {
  it('goes from the start to the end by half a cosine, and stays', () => {
    const momentum = cosineMomentum({ start: 0.5, totalSteps: 8 });
    expect([0, 4, 8, 99].map(momentum)).toEqual([0.5, 0.75, 1, 1]);
    // BYOL's 1 - (1 - start) (cos(pi k / K) + 1) / 2
    expect(momentum(2)).toBeCloseTo(1 - (0.5 * (Math.cos(Math.PI / 4) + 1)) / 2, 15);
    expect(cosineMomentum({ start: 0.9, end: 0.9, totalSteps: 3 })(1)).toBe(0.9);
  });

  it('refuses what is no momentum', () => {
    expect(() => cosineMomentum({ start: 1.2, totalSteps: 8 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: cosineMomentum: start must be a finite number in [0, 1], got 1.2. It is the weight of the old values, such as 0.996.]`,
    );
    expect(() => cosineMomentum({ start: 0.9, end: -1, totalSteps: 8 })).toThrow(/end must be/);
    expect(() => cosineMomentum({ start: 0.9, totalSteps: 0 })).toThrow(/totalSteps must be/);
    expect(() => cosineMomentum({ start: 0.9, totalSteps: 8 })(-1)).toThrow(/step must be/);
  });
});
