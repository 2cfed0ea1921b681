import { describe, expect, it } from 'vitest';
import { frameRecord, readRecords } from './record-frames.ts';

const contents = [[1, 2, 3], [], [255, 0]].map((bytes) => Uint8Array.from(bytes));
const frames = contents.map(frameRecord);

describe('records', () => {
  it('hold length, its sum, content and its sum', () => {
    const frame = frameRecord(new TextEncoder().encode('123456789'));
    expect(Buffer.from(frame.subarray(0, 8)).toString('hex')).toBe('0900000000000000');
    expect(Buffer.from(frame.subarray(12, 21)).toString()).toBe('123456789');
    expect(Buffer.from(frame.subarray(21)).toString('hex')).toBe('e5b08ac7');
    expect(frame).toHaveLength(25);
  });

  it('come back as they were', () => {
    const { records, end } = readRecords(Buffer.concat(frames));
    expect(records.map(({ content }) => [...content])).toEqual([[1, 2, 3], [], [255, 0]]);
    expect(records.map(({ offset }) => offset)).toEqual([0, 19, 35]);
    expect(end).toBe(53);
  });

  it('end before the first that is incomplete, whatever is left of it', () => {
    const file = Buffer.concat(frames);
    for (let length = 35; length < 53; length++) {
      const { records, end } = readRecords(file.subarray(0, length));
      expect([records.length, end]).toEqual([2, 35]);
    }
  });

  it.each([
    ['length', 19],
    ['sum of the length', 29],
    ['sum of the content', 33],
  ])('end before one with a damaged %s', (_, at) => {
    const file = Buffer.concat(frames);
    file[at] = (file[at] as number) ^ 4;
    expect(readRecords(file).end).toBe(19);
  });
});
