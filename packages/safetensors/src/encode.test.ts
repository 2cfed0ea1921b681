import { expect, it } from 'vitest';
import { encodeSafetensors } from './encode.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

it('writes length, header padded to 8 bytes, and data', () => {
  const bytes = encodeSafetensors({ a: { dtype: 'U8', shape: [3], data: new Uint8Array([1, 2, 3]) } });
  const header = '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}';
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8, ' ');
  expect([...bytes.subarray(0, 8)]).toEqual([padded.length, 0, 0, 0, 0, 0, 0, 0]);
  expect(text(bytes.subarray(8, 8 + padded.length))).toBe(padded);
  expect([...bytes.subarray(8 + padded.length)]).toEqual([1, 2, 3]);
});

it('puts wide elements first and keeps the order within a width', () => {
  const bytes = encodeSafetensors({
    bytes: { dtype: 'U8', shape: [1], data: new Uint8Array([255]) },
    first: { dtype: 'F32', shape: [1], data: new Float32Array([1]) },
    second: { dtype: 'I32', shape: [1], data: new Int32Array([-1]) },
    long: { dtype: 'I64', shape: [], data: new BigInt64Array([-2n]) },
  });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(text(bytes.subarray(8, 8 + length))) as Record<string, { data_offsets: number[] }>;
  expect(Object.keys(header)).toEqual(['long', 'first', 'second', 'bytes']);
  expect(Object.values(header).map((entry) => entry.data_offsets)).toEqual([
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 17],
  ]);
  expect([...bytes.subarray(8 + length)]).toEqual([254, ...Array(7).fill(255), 0, 0, 128, 63, 255, 255, 255, 255, 255]);
});

it('copies only the view of a larger buffer', () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const bytes = encodeSafetensors({ a: { dtype: 'F32', shape: [2], data } });
  expect([...new Float32Array(bytes.slice(-8).buffer)]).toEqual([1, 2]);
});

it('puts the metadata into the header', () => {
  const bytes = encodeSafetensors({}, { format: 'pt' });
  expect(text(bytes.subarray(8)).trim()).toBe('{"__metadata__":{"format":"pt"}}');
});

it('refuses what it cannot write', () => {
  const data = new Float32Array(4);
  const encode = (tensor: object, name = 'w') => encodeSafetensors({ [name]: tensor as never });
  expect(() => encode({ dtype: 'F32', shape: [2, 3], data })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeSafetensors: the shape of 'w' must have as many elements as its data, 4, got [2, 3]. Correct the shape.]`,
  );
  expect(() => encode({ dtype: 'F32', shape: [-2, -2], data })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeSafetensors: the shape of 'w' must have as many elements as its data, 4, got [-2, -2]. Correct the shape.]`,
  );
  expect(() => encode({ dtype: 'F64', shape: [4], data })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeSafetensors: 'w' of dtype F64 must hold a Float64Array, got Float32Array. Convert the data, or change the dtype.]`,
  );
  expect(() => encode({ dtype: 'BF16', shape: [4], data })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeSafetensors: the dtype of 'w' must be 'F64', 'F32', 'I64', 'U64', 'I32', 'U32', 'I16', 'U16', 'I8', 'U8' or 'BOOL', got 'BF16'. Convert the data.]`,
  );
  expect(() => encode({ dtype: 'F32', shape: [4], data }, '__metadata__')).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeSafetensors: a name must not be reserved, got '__metadata__'. Rename the tensor.]`,
  );
  expect(() => encode({ dtype: 'F32', shape: [4], data }, 'a\ud800')).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: encodeSafetensors: a name must be valid Unicode, got "a\\ud800" with half of a surrogate pair. Rename the tensor.]`,
  );
});
