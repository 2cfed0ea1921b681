import { describe, expect, it } from 'vitest';
import { scalarsEvent, sessionStartEvent, stepOfEvent, versionEvent } from './event-message.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const one = '09000000000000f03f'; // wall_time, field 1, 64 bits: 1.0

describe('events', () => {
  it('say the version of the file', () => {
    expect(hex(versionEvent(1))).toBe(`${one}1a0d${Buffer.from('brain.Event:2').toString('hex')}`);
  });

  it('hold scalars', () => {
    // step 300; summary of 10 bytes: a value of 8 bytes: tag 'a', simple_value 1.5
    expect(hex(scalarsEvent(1, 300, { a: 1.5 }))).toBe(`${one}10ac02${'2a0a'}${'0a08'}${'0a0161'}${'150000c03f'}`);
    expect(hex(scalarsEvent(1, 0, { a: 0, é: -2 }))).toBe(
      `${one}1000${'2a15'}${'0a08'}${'0a0161'}${'1500000000'}${'0a09'}${'0a02c3a9'}${'15000000c0'}`,
    );
  });

  it('say that a run goes on', () => {
    expect(hex(sessionStartEvent(1, 5))).toBe(`${one}1005${'3a02'}${'0801'}`);
  });

  it.each([0, 1, 127, 128, 300, 19_500, 2 ** 31, 2 ** 40 + 3])('tell their step, %d', (step) => {
    expect(stepOfEvent(scalarsEvent(1.7e9, step, { a: 1 }))).toBe(step);
    expect(stepOfEvent(sessionStartEvent(1.7e9, step))).toBe(step);
    expect(stepOfEvent(versionEvent(1.7e9))).toBeNull();
  });
});
