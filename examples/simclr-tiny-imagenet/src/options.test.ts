import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helpText, parseOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

function config(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'options-')), 'config.json');
  writeFileSync(path, content);
  return path;
}

describe('parseOptions', () => {
  it('fills in the defaults', () => {
    const parsed = parseOptions([]);
    expect(parsed).toMatchObject({
      options: { preset: 'paper', scale: 'quick', precision: 'float32', engine: 'auto', seed: 0 },
    });
  });

  it('reads flags and knows which were given', () => {
    const parsed = parseOptions(['--preset', 'baseline', '--batch-size', '64', '--dry-run']);
    if (parsed === 'help') throw new Error('not asked for');
    expect(parsed.options).toMatchObject({ preset: 'baseline', batchSize: 64, dryRun: true });
    expect([...parsed.given]).toEqual(['preset', 'batchSize', 'dryRun']);
  });

  it('lets flags win over the config file', () => {
    const path = config('{"preset": "simclr", "epochs": 3}');
    expect(parseOptions(['--config', path, '--epochs', '4'])).toMatchObject({
      options: { preset: 'simclr', epochs: 4 },
    });
  });

  it.each([
    [['--preset', 'best']],
    [['--epochs', '0']],
    [['--epochs', 'many']],
    [['--epochs', '2.5']],
    [['--epochs=-3', '--seed=-1']],
    [['--epochs', '-3']],
    [['--batch-size', '1']],
    [['--scale', 'huge', '--precision', 'half']],
    [['--learning-rate', '1']],
    [['stray']],
    [['--out']],
    [['--report', 'runs/a', '--epochs', '3']],
  ])('refuses %s', (args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrowErrorMatchingSnapshot();
  });

  it('refuses what a config file must not hold', () => {
    expect(() => parseOptions(['--config', config('{"epoch": 3}')])).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: the config has no option 'epoch'
      Run with --help for the list of options.]
    `);
    expect(() => parseOptions(['--config', config('[1]')])).toThrow(/it is not a JSON object/);
    expect(() => parseOptions(['--config', config('{"epochs": ')])).toThrow(UsageError);
    expect(() => parseOptions(['--config', '/nowhere.json'])).toThrow(/cannot be read/);
  });
});

describe('helpText', () => {
  it('names every option with its default', () => {
    expect(parseOptions(['--help'])).toBe('help');
    expect(helpText()).toMatchSnapshot();
    for (const line of helpText().split('\n')) expect(line.length).toBeLessThan(125);
  });
});
