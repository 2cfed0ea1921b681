import { checkNumber } from '@tfjs-ssl/checks';

/** Throws unless a schedule is asked for an integer step >= 0. */
export function checkStep(fn: string, step: number): void {
  checkNumber(fn, 'step', step, { min: 0, integer: true }, 'Steps are counted from 0 over the whole run.');
}

/** Throws unless a learning rate is finite and >= 0. */
export function checkRate(fn: string, option: string, rate: number): void {
  checkNumber(fn, option, rate, { min: 0 }, 'It is a learning rate, such as 0.0003.');
}

/** Throws unless a count is an integer >= least. */
export function checkCount(fn: string, option: string, count: number, least: number): void {
  checkNumber(fn, option, count, { min: least, integer: true }, 'Round it first.');
}
