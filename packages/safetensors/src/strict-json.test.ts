import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Json, JsonObject, parseStrictJson } from './strict-json.ts';

const plain = (value: Json): unknown =>
  value instanceof JsonObject
    ? Object.fromEntries([...value].map(([name, item]) => [name, plain(item)]))
    : Array.isArray(value)
      ? value.map(plain)
      : value;

const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeNat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
  ),
})).value;

it('reads whatever JSON.stringify writes, spaced or not', () => {
  fc.assert(
    fc.property(json, fc.constantFrom('', ' ', '\t', '\n'), (value, spacing) => {
      const text = JSON.stringify(value, null, spacing);
      expect(plain(parseStrictJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

it('never takes what JSON.parse refuses', () => {
  const letters = fc.constantFrom(...'{}[]:,"\\ \t\ntrue0123.-eu', 'null', '"a"', '\u0001', '\ufeff');
  fc.assert(
    fc.property(
      fc.array(letters).map((parts) => parts.join('')),
      (text) => {
        let parsed: Json;
        try {
          parsed = parseStrictJson(text);
        } catch (error) {
          expect((error as Error).message).toMatch(/ at character \d+$/);
          return;
        }
        if (!text.includes('.') && !/[-e]\d/.test(text)) expect(plain(parsed)).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 2000 },
  );
});

it('tells whole numbers from others by how they are written', () => {
  expect(parseStrictJson('[0, 4, 9007199254740991]')).toEqual([0, 4, 9007199254740991]);
  expect(parseStrictJson('[4.0, 4e0, -4, -0, 9007199254740992]')).toEqual([NaN, NaN, NaN, NaN, NaN]);
});

it('keeps the text of an object', () => {
  expect((parseStrictJson(' {"a" : 4.0} ') as JsonObject).source).toBe('{"a" : 4.0}');
});

it.each([
  ['{"a":1,"b":2,"a":1}', 'the name "a" a second time at character 16'],
  ['{"a":{"b":1,"\\u0062":2}}', 'the name "b" a second time at character 20'],
  ['"\\ud800"', 'half of a surrogate pair at character 0'],
  ['\ufeff{}', 'a character that no value begins with at character 0'],
  ['{}\0', 'more text at character 2'],
  ['[1e999]', 'a number out of range at character 6'],
  ['"a\nb"', 'a string that is not valid at character 0'],
  ['"a', 'a string that is not valid at character 0'],
  ['[1,]', 'a character that no value begins with at character 3'],
  ['{"a":1', 'no end of an object at character 6'],
  ['{a:1}', 'no name at character 1'],
  [`${'['.repeat(200)}${']'.repeat(200)}`, 'more than 127 levels at character 127'],
  ['', 'no value at character 0'],
])('refuses %j', (text, message) => {
  expect(() => parseStrictJson(text)).toThrow(new Error(message));
});

it('takes no longer than the text is long', () => {
  expect(parseStrictJson(`["${'a'.repeat(2e6)}", 1${'\t'.repeat(2e6)}]`)).toHaveLength(2);
  expect(() => parseStrictJson('9'.repeat(2e6))).toThrow('a number out of range');
  expect(() => parseStrictJson('['.repeat(2e6))).toThrow('more than 127 levels');
});
