import { describe, expect, it } from 'vitest';
import { describeOptions, parseOptions } from './options.ts';

const specs = {
  size: { type: 'integer', default: 64, minimum: 8, unit: 'pixels', help: 'side of an image' },
  engine: { type: 'text', default: 'auto', help: 'what computes' },
} as const;
const parse = (...args: string[]) => parseOptions('toy', specs, args);

describe('parseOptions', () => {
  it('takes defaults and given values', () => {
    expect(parse()).toEqual({ values: { size: 64, engine: 'auto' }, common: { json: false, help: false } });
    expect(parse('--size', '32', '--engine=cpu', '--json')).toEqual({
      values: { size: 32, engine: 'cpu' },
      common: { json: true, help: false },
    });
    expect(parse('-h').common.help).toBe(true);
  });

  it('refuses what it does not understand', () => {
    expect(() => parse('--sise', '32')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: unknown option --sise. The options are --size, --engine, --json, --help.]`,
    );
    expect(() => parse('32')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: every argument must be an option, got '32'. See --help.]`,
    );
    expect(() => parse('--size')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: --size needs a value, for example --size 64.]`,
    );
    expect(() => parse('--size', 'big')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: --size must be a whole number of pixels, at least 8, got 'big'.]`,
    );
    expect(() => parse('--size', '4')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: --size must be a whole number of pixels, at least 8, got '4'.]`,
    );
    expect(() => parse('--json=yes')).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench toy: --json takes no value, got 'yes'. Leave it out.]`,
    );
  });
});

describe('describeOptions', () => {
  it('gives every option with its unit and default', () => {
    expect(describeOptions(specs)).toMatchInlineSnapshot(`
      "  --size N       side of an image (pixels; default 64)
        --engine NAME  what computes (default auto)
        --json         print one line of JSON instead of a table
        --help, -h     print this text"
    `);
  });
});
