/** Throws unless a schedule is asked for an integer step >= 0. */
export function checkStep(fn: string, step: number): void {
  if (!Number.isInteger(step) || step < 0) {
    throw new RangeError(
      `${fn}: step must be an integer >= 0, got ${step}. Steps are counted from 0 over the whole run.`,
    );
  }
}

/** Throws unless a learning rate is finite and >= 0. */
export function checkRate(fn: string, option: string, rate: number): void {
  if (!(Number.isFinite(rate) && rate >= 0)) {
    throw new RangeError(
      `${fn}: ${option} must be a finite number >= 0, got ${rate}. It is a learning rate, such as 0.0003.`,
    );
  }
}

/** Throws unless a count is an integer >= least. */
export function checkCount(fn: string, option: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least) {
    throw new RangeError(`${fn}: ${option} must be an integer >= ${least}, got ${count}. Round it before.`);
  }
}
