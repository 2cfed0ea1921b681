import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helpText } from './help.ts';
import { type ParsedOptions, parseOptions } from './options.ts';
import { settingsHelp } from './settings/help.ts';
import { resolveSettings } from './settings/resolve.ts';
import { UsageError } from './usage-error.ts';

function config(content: string | object): string {
  const path = join(mkdtempSync(join(tmpdir(), 'options-')), 'config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function parsed(...args: string[]): ParsedOptions {
  const result = parseOptions(args);
  if (typeof result === 'string') throw new Error('not asked for');
  return result;
}

/** The message of a UsageError, without the path of a config. */
function refusal(...args: string[]): string {
  try {
    parseOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message.replaceAll(/\S*options-\S+/g, 'CONFIG');
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseOptions', () => {
  it('fills in the defaults of options, and leaves settings to the preset', () => {
    expect(parsed()).toMatchObject({ options: { engine: 'auto', dryRun: false }, settings: {} });
  });

  it('reads flags and knows which were given', () => {
    const { options, given, settings } = parsed('--preset', 'baseline', '--batch-size', '64', '--dry-run');
    expect(options).toMatchObject({ dryRun: true });
    expect([...given]).toEqual(['dryRun']);
    expect(settings).toEqual({ preset: 'baseline', batchSize: 64 });
  });

  it('reads settings of every kind', () => {
    const set = (...assignments: string[]) => parsed(...assignments.flatMap((each) => ['--set', each])).settings;
    expect(
      set(
        'temperature=0.2',
        'optimizer.learningRate=1e-3',
        'encoder.name=resnet34',
        'augmentation.cropScale=0.2,1',
        'head.hiddenSizes=[256, 128]',
        'epochs = 3',
      ),
    ).toEqual({
      temperature: 0.2,
      'optimizer.learningRate': 1e-3,
      'encoder.name': 'resnet34',
      'augmentation.cropScale': [0.2, 1],
      'head.hiddenSizes': [256, 128],
      epochs: 3,
    });
    expect(set('head.hiddenSizes=[]')).toEqual({ 'head.hiddenSizes': [] });
    expect(set('head.hiddenSizes=')).toEqual({ 'head.hiddenSizes': [] });
    expect(set('epochs=3', 'epochs=4')).toEqual({ epochs: 4 });
  });

  it('reads settings in groups and options from a config, over which flags win', () => {
    const path = config({ preset: 'simclr', epochs: 3, optimizer: { learningRate: 0.5 }, engine: 'cpu', dryRun: true });
    const { options, settings } = parsed('--config', path, '--epochs', '4', '--set', 'optimizer.weightDecay=0');
    expect(options).toMatchObject({ engine: 'cpu', dryRun: true });
    expect(settings).toEqual({
      preset: 'simclr',
      epochs: 4,
      'optimizer.learningRate': 0.5,
      'optimizer.weightDecay': 0,
    });
  });

  it("reads a run's own config.json, of today and of before", () => {
    const settings = resolveSettings({ temperature: 0.2, 'optimizer.name': 'sgd', 'optimizer.momentum': 0.5 });
    const ofRun = {
      ...settings,
      images: { data: 'folder', train: 8, val: 2 },
      options: { engine: 'cpu', classes: 2, data: '/flowers' },
      environment: { Node: '24' },
    };
    const again = parsed('--config', config(ofRun), '--set', 'optimizer.name=adam');
    expect(resolveSettings(again.settings)).toEqual({ ...settings, optimizer: { ...settings.optimizer, name: 'adam' } });
    expect(again.options).toMatchObject({ engine: 'cpu', data: '/flowers' });
    const { optimizer, schedule, head, augmentation, encoder, imageSeed: _, loss: __, normalization: ___, ...rest } = ofRun;
    const { cropScale, solarizeProbability, jitterStrength, blurProbability } = augmentation;
    const earlier = {
      ...rest,
      seed: 5,
      augmentation: { cropScale, solarizeProbability, jitterStrength, blurProbability },
      encoder: { stem: encoder.stem, width: encoder.width },
      head: { hidden: 512, output: head.outputSize },
      optimizer: { name: 'adam', weightDecay: optimizer.weightDecay },
      schedule: { name: 'warmup-cosine', learningRate: 0.1, warmupEpochs: 0, warmupSteps: schedule.warmupSteps },
    };
    expect(resolveSettings(parsed('--config', config(earlier)).settings)).toEqual(
      resolveSettings({ temperature: 0.2, seed: 5, imageSeed: 5, 'head.hiddenSizes': [512], 'optimizer.learningRate': 0.1 }),
    );
    expect(refusal('--config', config(ofRun), '--preset', 'baseline')).toMatchInlineSnapshot();
  });
});

describe('a wrong call', () => {
  it.each([
    [['--preset', 'best']],
    [['--epochs', '0']],
    [['--epochs', 'many']],
    [['--epochs', '2.5']],
    [['--epochs=-3', '--seed=-1']],
    [['--epochs', '-3']],
    [['--batch-size', '1']],
    [['--scale', 'huge', '--precision', 'half']],
    [['--threads', '0']],
    [['--learning-rate', '1']],
    [['stray']],
    [['--out']],
    [['--report', 'runs/a', '--epochs', '3']],
    [['--compare', 'runs/a', 'runs/b', '--dry-run']],
    [['--resume', 'runs/a', '--init', 'runs/b']],
    [['--evaluate', 'runs/a', '--set', 'temperature=1']],
    [['--epochs', '3', '--set', 'epochs=4']],
  ])('%s ends in a message', (args) => {
    expect(refusal(...args)).toMatchSnapshot();
  });

  it('says what a setting takes, what came, and what may have been meant', () => {
    const set = (...assignments: string[]) => refusal(...assignments.flatMap((each) => ['--set', each]));
    // a number out of range, of another kind, and none at all
    expect(set('temperature=0')).toMatchInlineSnapshot();
    expect(set('augmentation.flipProbability=1.5')).toMatchInlineSnapshot();
    expect(set('temperature=warm')).toMatchInlineSnapshot();
    expect(set('temperature=')).toMatchInlineSnapshot();
    expect(set('temperature=Infinity')).toMatchInlineSnapshot();
    // an integer, with its unit
    expect(set('encoder.width=2.5')).toMatchInlineSnapshot();
    expect(set('imageSize=4')).toMatchInlineSnapshot();
    // an interval: too few, too many, the wrong way round, out of range
    expect(set('augmentation.cropScale=0.2')).toMatchInlineSnapshot();
    expect(set('augmentation.cropScale=0.1,0.2,0.3')).toMatchInlineSnapshot();
    expect(set('augmentation.cropScale=1,0.2')).toMatchInlineSnapshot();
    expect(set('augmentation.blurSigma=0,2')).toMatchInlineSnapshot();
    // a list
    expect(set('head.hiddenSizes=256,0')).toMatchInlineSnapshot();
    expect(set('head.hiddenSizes=256;128')).toMatchInlineSnapshot();
    // a choice, with a typo and without
    expect(set('encoder.name=resnet43')).toMatchInlineSnapshot();
    expect(set('optimizer.name=AdamW')).toMatchInlineSnapshot();
    expect(set('schedule.name=linear-with-restarts')).toMatchInlineSnapshot();
    // names: a typo, one without its group, a group, none
    expect(set('temprature=0.2')).toMatchInlineSnapshot();
    expect(set('learningRate=0.2')).toMatchInlineSnapshot();
    expect(set('optimizer=adam')).toMatchInlineSnapshot();
    expect(set('warp=9')).toMatchInlineSnapshot();
    expect(set('temperature')).toMatchInlineSnapshot();
    expect(set('=3')).toMatchInlineSnapshot();
    // several at once, and one that changes nothing
    expect(set('temperature=-1', 'encoder.width=0')).toMatchInlineSnapshot();
    expect(set('optimizer.momentum=0.5')).toMatchInlineSnapshot();
  });

  it('refuses what a config file must not hold', () => {
    const refused = (content: string | object) => refusal('--config', config(content));
    expect(refused({ epoch: 3 })).toMatchInlineSnapshot();
    expect(refused({ optimiser: { name: 'adam' } })).toMatchInlineSnapshot();
    expect(refused({ optimizer: { rate: 1 }, treads: 2 })).toMatchInlineSnapshot();
    expect(refused({ temperature: '0.2' })).toMatchInlineSnapshot();
    expect(refused({ temperature: null })).toMatchInlineSnapshot();
    expect(refused({ head: { hiddenSizes: 256 } })).toMatchInlineSnapshot();
    expect(refused({ epochs: { quick: 3 } })).toMatchInlineSnapshot();
    expect(refused({ optimizer: 'adam' })).toMatchInlineSnapshot();
    expect(refused({ engine: 3, dryRun: 'yes' })).toMatchInlineSnapshot();
    expect(refused('[1]')).toMatch(/it is not a JSON object/);
    expect(refused('{"epochs": ')).toMatch(/cannot be read/);
    expect(refusal('--config', '/nowhere.json')).toMatch(/cannot be read/);
  });
});

describe('help', () => {
  it('names every option with its default', () => {
    expect(parseOptions(['--help'])).toBe('help');
    expect(helpText()).toMatchSnapshot();
    for (const line of helpText().split('\n')) expect(line.length).toBeLessThan(125);
  });

  it('names every setting with what it takes and its defaults', () => {
    expect(parseOptions(['--help', 'settings'])).toBe('help settings');
    expect(settingsHelp()).toMatchSnapshot();
    for (const line of settingsHelp().split('\n')) expect(line.length).toBeLessThan(125);
  });
});
