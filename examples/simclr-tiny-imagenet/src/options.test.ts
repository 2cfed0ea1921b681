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
    if (error instanceof UsageError) return error.message.replaceAll(/\S*options-\S+\.json/g, 'CONFIG');
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
    expect(resolveSettings(again.settings)).toEqual({
      ...settings,
      optimizer: { ...settings.optimizer, name: 'adam' },
    });
    expect(again.options).toMatchObject({ engine: 'cpu', data: '/flowers' });
    const {
      optimizer,
      schedule,
      head,
      augmentation,
      encoder,
      imageSeed: _,
      loss: __,
      normalization: ___,
      ...rest
    } = ofRun;
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
      resolveSettings({
        temperature: 0.2,
        seed: 5,
        imageSeed: 5,
        'head.hiddenSizes': [512],
        'optimizer.learningRate': 0.1,
      }),
    );
    expect(refusal('--config', config(ofRun), '--preset', 'baseline')).toMatchInlineSnapshot(
      `"--config CONFIG is of a run and holds every setting of preset paper, got --preset baseline. Leave one out, or change single settings with --set."`,
    );
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
    expect(set('temperature=0')).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got 0.
      Run with --help settings for the list."
    `);
    expect(set('augmentation.flipProbability=1.5')).toMatchInlineSnapshot(`
      "augmentation.flipProbability must be a number in [0, 1], got 1.5.
      Run with --help settings for the list."
    `);
    expect(set('temperature=warm')).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got 'warm'.
      Run with --help settings for the list."
    `);
    expect(set('temperature=')).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got ''.
      Run with --help settings for the list."
    `);
    expect(set('temperature=Infinity')).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got Infinity.
      Run with --help settings for the list."
    `);
    // an integer, with its unit
    expect(set('encoder.width=2.5')).toMatchInlineSnapshot(`
      "encoder.width must be an integer of at least 1 (channels), got 2.5.
      Run with --help settings for the list."
    `);
    expect(set('imageSize=4')).toMatchInlineSnapshot(`
      "imageSize must be an integer in [8, 1024] (pixels), got 4.
      Run with --help settings for the list."
    `);
    // an interval: too few, too many, the wrong way round, out of range
    expect(set('augmentation.cropScale=0.2')).toMatchInlineSnapshot(`
      "augmentation.cropScale must be LOW,HIGH in ascending order, each a number in (0, 1], got [0.2].
      Run with --help settings for the list."
    `);
    expect(set('augmentation.cropScale=0.1,0.2,0.3')).toMatchInlineSnapshot(`
      "augmentation.cropScale must be LOW,HIGH in ascending order, each a number in (0, 1], got [0.1, 0.2, 0.3].
      Run with --help settings for the list."
    `);
    expect(set('augmentation.cropScale=1,0.2')).toMatchInlineSnapshot(`
      "augmentation.cropScale must be LOW,HIGH in ascending order, each a number in (0, 1], got [1, 0.2].
      Run with --help settings for the list."
    `);
    expect(set('augmentation.blurSigma=0,2')).toMatchInlineSnapshot(`
      "augmentation.blurSigma must be LOW,HIGH in ascending order, each a number above 0 (pixels), got [0, 2].
      Run with --help settings for the list."
    `);
    // a list
    expect(set('head.hiddenSizes=256,0')).toMatchInlineSnapshot(`
      "head.hiddenSizes must be a list N,N,... (or [] for none), each an integer of at least 1, got [256, 0].
      Run with --help settings for the list."
    `);
    expect(set('head.hiddenSizes=256;128')).toMatchInlineSnapshot(`
      "head.hiddenSizes must be a list N,N,... (or [] for none), each an integer of at least 1, got [256;128].
      Run with --help settings for the list."
    `);
    // a choice, with a typo and without
    expect(set('encoder.name=resnet43')).toMatchInlineSnapshot(`
      "encoder.name must be resnet18, resnet34, resnet50 or efficientnet-b0, got 'resnet43'. Did you mean resnet34?
      Run with --help settings for the list."
    `);
    expect(set('optimizer.name=AdamW')).toMatchInlineSnapshot(`
      "optimizer.name must be adam, adamw, sgd or lars, got 'AdamW'. Did you mean adamw?
      Run with --help settings for the list."
    `);
    expect(set('schedule.name=linear-with-restarts')).toMatchInlineSnapshot(`
      "schedule.name must be constant, cosine or epochCosine, got 'linear-with-restarts'.
      Run with --help settings for the list."
    `);
    // names: a typo, one without its group, a group, none
    expect(set('temprature=0.2')).toMatchInlineSnapshot(
      `"There is no setting 'temprature'. Did you mean temperature? Run with --help settings for the list."`,
    );
    expect(set('learningRate=0.2')).toMatchInlineSnapshot(
      `"There is no setting 'learningRate'. Did you mean optimizer.learningRate? Run with --help settings for the list."`,
    );
    expect(set('optimizer=adam')).toMatchInlineSnapshot(
      `"optimizer is a group of settings: optimizer.name, optimizer.learningRate, optimizer.weightDecay, optimizer.momentum. Name one of them. Run with --help settings for the list."`,
    );
    expect(set('warp=9')).toMatchInlineSnapshot(`"There is no setting 'warp'. Run with --help settings for the list."`);
    expect(set('temperature')).toMatchInlineSnapshot(
      `"--set takes NAME=VALUE, for example temperature=0.2, got 'temperature'. Run with --help settings for the list."`,
    );
    expect(set('=3')).toMatchInlineSnapshot(
      `"--set takes NAME=VALUE, for example temperature=0.2, got '=3'. Run with --help settings for the list."`,
    );
    // several at once, and one that changes nothing
    expect(set('temperature=-1', 'encoder.width=0')).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got -1.
      encoder.width must be an integer of at least 1 (channels), got 0.
      Run with --help settings for the list."
    `);
    expect(set('optimizer.momentum=0.5')).toMatchInlineSnapshot(`
      "optimizer.momentum has no effect without optimizer.name sgd or lars.
      Set both, or leave it out."
    `);
  });

  it('refuses what a config file must not hold', () => {
    const refused = (content: string | object) => refusal('--config', config(content));
    expect(refused({ epoch: 3 })).toMatchInlineSnapshot(`
      "--config CONFIG:
      There is no setting 'epoch'. Did you mean epochs?
      Run with --help or --help settings for the lists."
    `);
    expect(refused({ optimiser: { name: 'adam' } })).toMatchInlineSnapshot(`
      "--config CONFIG:
      There is no setting 'optimiser.name'. Did you mean optimizer.name?
      Run with --help or --help settings for the lists."
    `);
    expect(refused({ optimizer: { rate: 1 }, treads: 2 })).toMatchInlineSnapshot(`
      "--config CONFIG:
      There is no setting 'optimizer.rate'. Did you mean optimizer.name?
      There is no option 'treads'. Did you mean threads?
      Run with --help or --help settings for the lists."
    `);
    expect(refused({ temperature: '0.2' })).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got '0.2'.
      Run with --help settings for the list."
    `);
    expect(refused({ temperature: null })).toMatchInlineSnapshot(`
      "temperature must be a number above 0, got null.
      Run with --help settings for the list."
    `);
    expect(refused({ head: { hiddenSizes: 256 } })).toMatchInlineSnapshot(`
      "head.hiddenSizes must be a list N,N,... (or [] for none), each an integer of at least 1, got 256.
      Run with --help settings for the list."
    `);
    expect(refused({ epochs: { quick: 3 } })).toMatchInlineSnapshot(`
      "--config CONFIG:
      There is no setting 'epochs.quick'.
      Run with --help or --help settings for the lists."
    `);
    expect(refused({ optimizer: 'adam' })).toMatchInlineSnapshot(`
      "--config CONFIG:
      optimizer is a group of settings: optimizer.name, optimizer.learningRate, optimizer.weightDecay, optimizer.momentum. Name one of them.
      Run with --help or --help settings for the lists."
    `);
    expect(refused({ engine: 3, dryRun: 'yes' })).toMatchInlineSnapshot(`
      "--engine must be a text that is not empty, got 3.
      --dry-run must be true or false, got 'yes'.
      Run with --help for the list of options."
    `);
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
