import type { EngineInUse } from '@tfjs-ssl/engine';
import { processors } from '@tfjs-ssl/files';
import type { Bench, BenchResult } from '../bench.ts';
import {
  type IntegerOption,
  integerOption,
  type OptionValues,
  oneOf,
  type TextOption,
  UsageError,
} from '../options.ts';
import { type Entrant, entrantsOf, type PyTorchStep, requireSameWork, startPyTorchSteps } from '../pytorch-step.ts';
import { type Quietness, quietRow, watchQuiet } from '../quiet.ts';
import { quietTurns } from '../quiet-turns.ts';
import { runtimeName } from '../runtime.ts';
import { encoderNames, simclrStep } from '../simclr-step.ts';
import { startBenchEngine } from '../start-engine.ts';
import { median, type Summary, significant, summarize } from '../statistics.ts';
import type { Contestant } from '../turns.ts';
import { measureWholeStep } from '../whole-step.ts';
import { compileChoices, rivalNames } from '../whole-step-rivals.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly engine: TextOption;
  readonly encoder: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly rounds: IntegerOption;
  readonly steps: IntegerOption;
  readonly 'warm-up': IntegerOption;
  readonly width: IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly threads: IntegerOption;
  readonly precision: TextOption;
  readonly stored: IntegerOption;
  readonly rivals: TextOption;
  readonly compile: TextOption;
  readonly profile: IntegerOption;
}

const options: Options = {
  engine: { type: 'text', default: 'auto', help: 'engine to measure' },
  encoder: { type: 'text', default: 'resnet18', help: `encoder to train: ${encoderNames.join(', ')}` },
  'batch-size': integerOption(
    32,
    2,
    'images',
    'images per step; each gives two views, so a step has twice as many rows',
  ),
  rounds: integerOption(5, 1, 'rounds', 'how often the engine and PyTorch take turns'),
  steps: integerOption(3, 1, 'steps', 'training steps per round'),
  'warm-up': integerOption(3, 1, 'steps', 'steps before the first round, which are not measured'),
  width: integerOption(
    64,
    1,
    'channels',
    "channels of the encoder's first stage; of an EfficientNet, 64 stands for its standard width",
  ),
  'image-size': integerOption(64, 8, 'pixels', 'side of the square views'),
  threads: integerOption(processors(), 1, 'threads', 'threads of the engine and of PyTorch'),
  precision: { type: 'text', default: 'float32', help: 'precision: float32, or mixed on webgpu' },
  stored: integerOption(4096, 1, 'images', 'webgpu: images on the device, from which each step takes some'),
  rivals: { type: 'text', default: 'all', help: `webgpu: rivals to measure: all, none, ${rivalNames.join(', ')}` },
  compile: {
    type: 'text',
    default: 'yes',
    help: 'whether PyTorch also tries torch.compile: yes or no; on webgpu also max-autotune',
  },
  profile: integerOption(0, 0, 'steps', 'webgpu: steps to profile, kernel by kernel, with timestamps'),
};

/** Measures the paper's training step in turns with PyTorch. On `webgpu` the step includes the augmentations. */
export const trainStep: Bench<Options> = {
  name: 'train-step',
  summary: 'one training step (ResNet-18 or EfficientNet-B0, slim head, NT-Xent, Adam), in turns with PyTorch',
  options,
  async run(chosen, log) {
    const engine = await startBenchEngine(trainStep.name, chosen.engine, chosen.threads);
    for (const { name, reason } of engine.passedOver) log(`engine ${name} is not used: ${reason}`);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const { precision } = chosen;
    if (!engine.precisions.some((known) => known === precision)) {
      throw new UsageError(
        `bench train-step: --precision must be one of ${engine.precisions.join(', ')} on this engine, got '${precision}'.`,
      );
    }
    const encoder = oneOf('train-step', 'encoder', chosen.encoder, encoderNames);
    if (engine.name === 'webgpu' && encoder !== 'resnet18') {
      throw new UsageError(`bench train-step: --encoder must be resnet18 on webgpu, got '${encoder}'.`);
    }
    if (engine.name === 'webgpu') return measureWholeStep(wholeStepChoices(chosen), engine, log);

    const compile = oneOf('train-step', 'compile', chosen.compile, ['yes', 'no']) === 'yes';
    let rivals: readonly PyTorchStep[] = [];
    const watch = watchQuiet(() => rivals.reduce((sum, rival) => sum + rival.cpuSeconds(), 0));
    await watch.look(500);
    const views = 2 * chosen['batch-size'];
    const step = simclrStep({ views, imageSize: chosen['image-size'], width: chosen.width, encoder });
    try {
      const found = await startPyTorchSteps(step, { threads: chosen.threads, warmUp: chosen['warm-up'], compile });
      rivals = found.rivals;
      for (const reason of found.missing) log(`no comparison with PyTorch: ${reason}`);
      if (rivals.length === 0) log('PYTHON names the interpreter (default /usr/bin/python3); on Debian, install python3-torch'); // biome-ignore format: one line
      for (const { version, threads, ways, failed } of rivals) {
        log(`rival PyTorch ${version}, ${threads} threads`);
        for (const { name, trialSeconds } of ways) log(`  ${name}: ${significant(1000 * trialSeconds)} ms per step`);
        for (const [name, reason] of Object.entries(failed)) log(`  ${name} does not work: ${reason}`);
      }
      const firstLoss = await step.run(1);
      for (const rival of rivals) requireSameWork({ parameters: step.parameters, firstLoss }, rival);
      if (chosen['warm-up'] > 1) await step.run(chosen['warm-up'] - 1);
      log(`warm-up done; ${chosen.rounds} rounds of ${chosen.steps} steps follow`);

      const entrants = entrantsOf(rivals);
      const contestants: Contestant[] = [
        { name: engine.name, round: () => step.time(chosen.steps) },
        ...entrants.map(({ name, time }) => ({ name, round: () => time(chosen.steps) })),
      ];
      await watch.look();
      const { seconds, quietness } = await quietTurns(contestants, { watch, rounds: chosen.rounds, log });
      return report({ chosen, engine, entrants, seconds, quietness, firstLoss, parameters: step.parameters });
    } finally {
      for (const rival of rivals) rival.stop();
      step.dispose();
    }
  },
};

function wholeStepChoices(chosen: OptionValues<Options>) {
  const rivals = oneOf('train-step', 'rivals', chosen.rivals, ['all', 'none', ...rivalNames]);
  const batchSize = chosen['batch-size'];
  return {
    batchSize,
    imageSize: chosen['image-size'],
    width: chosen.width,
    stored: Math.max(batchSize, chosen.stored),
    precision: chosen.precision as 'float32' | 'mixed',
    rounds: chosen.rounds,
    steps: chosen.steps,
    warmUp: chosen['warm-up'],
    rivals: rivals === 'all' ? rivalNames : rivals === 'none' ? [] : [rivals],
    workers: chosen.threads,
    compile: oneOf('train-step', 'compile', chosen.compile, compileChoices),
    profile: chosen.profile,
  };
}

interface Measured {
  readonly chosen: OptionValues<Options>;
  readonly engine: EngineInUse;
  readonly entrants: readonly Entrant[];
  readonly seconds: ReadonlyMap<string, readonly number[]>;
  readonly quietness: Quietness;
  readonly firstLoss: number;
  readonly parameters: number;
}

function report({ chosen, engine, entrants, seconds, quietness, firstLoss, parameters }: Measured): BenchResult {
  const views = 2 * chosen['batch-size'];
  const rate = (name: string) => summarize(seconds.get(name)!.map((time) => (views * chosen.steps) / time));
  const own = rate(engine.name);
  const milliseconds = significant((1000 * median(seconds.get(engine.name)!)) / chosen.steps);
  const rivals = entrants
    .map((entrant) => ({ ...entrant, rate: rate(entrant.name) }))
    .toSorted((a, b) => b.rate.median - a.rate.median);
  const best = rivals.find(({ way }) => way.precision === 'float32') ?? null;
  const ratioTo = (rival: { rate: Summary }) => significant(own.median / rival.rate.median, 3);
  const runtime = runtimeName(engine.name);
  return {
    record: {
      bench: trainStep.name,
      encoder: chosen.encoder,
      viewsPerSecond: significant(own.median),
      milliseconds,
      engine: engine.name,
      engineVersion: engine.version,
      device: engine.device,
      runtime,
      rivalViewsPerSecond: best && significant(best.rate.median),
      rival: best && `PyTorch ${best.version}`,
      rivalWay: best?.way.name ?? null,
      ratio: best && ratioTo(best),
      rivals: rivals.map((each) => ({
        version: each.version,
        way: each.way.name,
        precision: each.way.precision,
        viewsPerSecond: significant(each.rate.median),
        spread: range(each.rate),
        ratio: ratioTo(each),
      })),
      quiet: quietness.quiet,
      disturbances: quietness.disturbances,
      foreignCores: quietness.foreignCores && significant(quietness.foreignCores, 2),
      loadAverage: quietness.loadAverage,
      spread: { viewsPerSecond: range(own) },
      rounds: chosen.rounds,
      steps: chosen.steps,
      batchSize: chosen['batch-size'],
      imageSize: chosen['image-size'],
      width: chosen.width,
      threads: engine.threads,
      rivalThreads: best?.threads ?? null,
      parameters,
      firstLoss,
      rivalFirstLoss: best?.way.firstLoss ?? null,
    },
    table: [
      ['step', `${chosen.encoder} of width ${chosen.width}, ${views} views of ${chosen['image-size']} pixels, float32`],
      ['measured', `${chosen.rounds} rounds of ${chosen.steps} steps, in turns; median (slowest to fastest round)`],
      [`${engine.name}, ${engine.threads} threads`, `${figures(own)} views/s; ${milliseconds} ms per step`],
      ...rivals.map((each) => [each.name, `${figures(each.rate)} views/s; ratio ${ratioTo(each)}`] as const),
      [
        'ratio',
        best === null
          ? 'no rival'
          : `${ratioTo(best)} of the fastest float32 PyTorch: ${best.version}, ${best.way.name}, ${best.threads} threads`,
      ],
      ['machine', `${engine.device}; ${runtime}`],
      quietRow(quietness),
    ],
  };
}

const range = ({ minimum, maximum }: Summary) => [significant(minimum), significant(maximum)];
const figures = (rate: Summary) => `${significant(rate.median)} (${range(rate).join(' to ')})`;
