import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors } from './decode.ts';
import { arrayTypes, elementCount, type SafeTensor, type SafeTensorDtype } from './dtypes.ts';
import { encodeSafetensors } from './encode.ts';

/** A file with the given header and as many data bytes. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const anyTensor: fc.Arbitrary<SafeTensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(arrayTypes) as SafeTensorDtype[])),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
    fc.integer({ min: 0, max: 255 }),
  )
  .map(([dtype, shape, seed]) => {
    const length = elementCount(shape) * arrayTypes[dtype].BYTES_PER_ELEMENT;
    const bytes = Uint8Array.from({ length }, (_, i) => (seed + 31 * i) & 0xff);
    return { dtype, shape, data: new arrayTypes[dtype](bytes.buffer, 0, elementCount(shape)) };
  });

it('reads back what was written, whatever the names, shapes, dtypes and alignment of the buffer', () => {
  const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
  fc.assert(
    fc.property(
      fc.dictionary(names, anyTensor, { maxKeys: 5 }),
      fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
      fc.integer({ min: 0, max: 8 }),
      (tensors, metadata, shift) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const shifted = new Uint8Array(bytes.length + shift).subarray(shift);
        shifted.set(bytes);
        const read = decodeSafetensors(shifted);
        expect({ ...read.metadata }).toEqual({ ...metadata });
        expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const [name, tensor] of Object.entries(tensors)) expect(read.tensors[name]).toEqual(tensor);
        expect(encodeSafetensors(read.tensors, read.metadata)).toEqual(bytes);
      },
    ),
  );
});

it('gives views of an aligned buffer, and copies of another', () => {
  const bytes = encodeSafetensors({ a: { dtype: 'F32', shape: [2], data: new Float32Array([1, 2]) } });
  expect(decodeSafetensors(bytes).tensors.a?.data.buffer).toBe(bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  const copied = decodeSafetensors(shifted).tensors.a?.data;
  expect(copied?.buffer).not.toBe(shifted.buffer);
  expect([...(copied as Float32Array)]).toEqual([1, 2]);
});

it('reads names that mean something to JavaScript', () => {
  const tensors = Object.fromEntries(
    ['__proto__', 'constructor', '0'].map((name, i) => [
      name,
      { dtype: 'I32' as const, shape: [], data: new Int32Array([i]) },
    ]),
  );
  const read = decodeSafetensors(encodeSafetensors(tensors));
  expect(Object.keys(read.tensors).sort()).toEqual(['0', '__proto__', 'constructor']);
  expect(Object.getOwnPropertyDescriptor(read.tensors, '__proto__')?.value.data[0]).toBe(0);
});

describe('damaged files', () => {
  const good = encodeSafetensors(
    {
      a: { dtype: 'F32', shape: [2, 2], data: new Float32Array(4) },
      b: { dtype: 'U8', shape: [], data: new Uint8Array(1) },
    },
    { note: 'x' },
  );

  it('is refused at whatever byte it is cut, and with anything after its end', () => {
    for (let length = 0; length < good.length; length++) {
      expect(() => decodeSafetensors(good.subarray(0, length)), `cut to ${length} bytes`).toThrow(RangeError);
    }
    const longer = new Uint8Array(good.length + 1);
    longer.set(good);
    expect(() => decodeSafetensors(longer)).toThrow(RangeError);
  });

  it('is refused with its reason', () => {
    expect(() => decodeSafetensors(new Uint8Array(3))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the file must have at least 8 bytes, got 3. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(new Uint8Array(16).fill(255))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must fit into the file of 16 bytes, got 18446744073709551615 bytes. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file('{"a":', 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must be JSON, got no value at character 5 of "{\\"a\\":". The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file('[1]', 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must be a JSON object, got [1]. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ __metadata__: { a: 1 } }, 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: __metadata__.a must be a string, got 1. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: null }, 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got null. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 8, [-2]) }, 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got {"dtype":"F32","shape":[-2],"data_offsets":[0,8]}. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 8) }, 4))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the data of 'a' must lie within 4 bytes, got 0 to 8. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(8, 0, [0]) }, 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the data of 'a' must lie within 8 bytes, got 8 to 0. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 8, [3]) }, 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: 'a' of dtype F32 and shape [3] must have 12 bytes, got 8. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 8, [16], 'F4') }, 8))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the dtype of 'a' must be one of F64, F32, I64, U64, I32, U32, I16, U16, I8, U8, BOOL, F16, BF16, F8_E5M2, F8_E4M3, F8_E5M2FNUZ, F8_E4M3FNUZ, got F4. Convert the file to float32 first.]`,
    );
    expect(() => decodeSafetensors(file({ __metadata__: [] }, 0))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: __metadata__ must be an object of strings, got []. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 8), b: entry(4, 12) }, 12))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: 'b' must begin at byte 8 of the data, got 4, which overlaps another tensor. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 4), b: entry(8, 12) }, 12))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: 'b' must begin at byte 4 of the data, got 8, which leaves a gap before it. The file is damaged or not a safetensors file: get it again.]`,
    );
    expect(() => decodeSafetensors(file({ a: entry(0, 4) }, 12))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the tensors must cover the data of 12 bytes, got 4 bytes. The file is damaged or not a safetensors file: get it again.]`,
    );
  });
});

describe("what Python's package takes and refuses", () => {
  const good = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';

  it('is refused, too', () => {
    const refused = {
      'a field twice': good.replace('"dtype":"F32"', '"dtype":"F32","dtype":"I32"'),
      '4.0': good.replace('[2]', '[2.0]'),
      'an exponent': good.replace('[2]', '[2e0]'),
      'an offset of 0.0': good.replace('[0,8]', '[0.0,8]'),
      '-0': good.replace('[2]', '[-0]'),
      'a byte order mark': `\ufeff${good}`,
      'half of a surrogate pair': good.replace('"a"', '"a\\ud800"'),
      'something after the header': `${good}\0`,
    };
    const messages = Object.entries(refused).map(([name, header]) => {
      try {
        decodeSafetensors(file(header, 8));
        return [name, 'taken'];
      } catch (error) {
        return [name, (error as Error).message];
      }
    });
    expect(Object.fromEntries(messages)).toMatchInlineSnapshot(`
      {
        "-0": "decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got {"dtype":"F32","shape":[-0],"data_offsets":[0,8]}. The file is damaged or not a safetensors file: get it again.",
        "4.0": "decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got {"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}. The file is damaged or not a safetensors file: get it again.",
        "a byte order mark": "decodeSafetensors: the header must be JSON, got a character that no value begins with at character 0 of "﻿{\\"a\\":{\\"dtype\\":\\"F32\\"…". The file is damaged or not a safetensors file: get it again.",
        "a field twice": "decodeSafetensors: the header must be JSON, got the name "dtype" a second time at character 27 of "{\\"a\\":{\\"dtype\\":\\"F32\\",…". The file is damaged or not a safetensors file: get it again.",
        "an exponent": "decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got {"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}. The file is damaged or not a safetensors file: get it again.",
        "an offset of 0.0": "decodeSafetensors: 'a' must have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0, got {"dtype":"F32","shape":[2],"data_offsets":[0.0,8]}. The file is damaged or not a safetensors file: get it again.",
        "half of a surrogate pair": "decodeSafetensors: the header must be JSON, got half of a surrogate pair at character 1 of "{\\"a\\\\ud800\\":{\\"dtype\\":…". The file is damaged or not a safetensors file: get it again.",
        "something after the header": "decodeSafetensors: the header must be JSON, got more text at character 54 of "{\\"a\\":{\\"dtype\\":\\"F32\\",…". The file is damaged or not a safetensors file: get it again.",
      }
    `);
    const invalid = file(good, 8);
    invalid[8 + good.indexOf('a')] = 0xff;
    expect(() => decodeSafetensors(invalid)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must be UTF-8, got other bytes. The file is damaged or not a safetensors file: get it again.]`,
    );
    const tooLong = new Uint8Array(100_000_009);
    new DataView(tooLong.buffer).setBigUint64(0, 100_000_001n, true);
    expect(() => decodeSafetensors(tooLong)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: the header must have at most 100000000 bytes, got 100000001. The file is damaged or not a safetensors file: get it again.]`,
    );
  });

  it('is taken, too', () => {
    expect(decodeSafetensors(file(` ${good}\t\r\n`, 8)).tensors.a?.shape).toEqual([2]);
    expect(decodeSafetensors(file(good.replace('"shape"', '"note":[{"x":1.5}],"shape"'), 8)).tensors.a?.dtype).toBe(
      'F32',
    );
    expect(decodeSafetensors(file(good.replace('shape', '\\u0073hape'), 8)).tensors.a?.dtype).toBe('F32');
    expect({ ...decodeSafetensors(file('{"__metadata__":null}', 0)).metadata }).toEqual({});
    expect(decodeSafetensors(file({ a: entry(0, 0, [5, 0]) }, 0)).tensors.a?.data).toHaveLength(0);
  });
});

it('reads narrow floats as float32, at any alignment', () => {
  const header = {
    flag: { dtype: 'BOOL', shape: [], data_offsets: [0, 1] },
    half: { dtype: 'F16', shape: [2, 1], data_offsets: [1, 5] },
    brain: { dtype: 'BF16', shape: [1], data_offsets: [5, 7] },
    tiny: { dtype: 'F8_E4M3', shape: [1], data_offsets: [7, 8] },
  };
  const bytes = file(header, 8);
  bytes.set([1, 0x00, 0x3c, 0x00, 0xc0, 0x49, 0x40, 0xc2], bytes.length - 8);
  const { half, brain, tiny } = decodeSafetensors(bytes).tensors;
  expect(half).toEqual({ dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, -2) });
  expect(brain).toEqual({ dtype: 'F32', shape: [1], data: Float32Array.of(3.140625) });
  expect(tiny).toEqual({ dtype: 'F32', shape: [1], data: Float32Array.of(-2.5) });
});
