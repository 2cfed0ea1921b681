import { simdEngine } from '@tfjs-ssl/engine-simd';
import { processors } from '@tfjs-ssl/files';
import type { Bench, BenchResult, Log } from '../bench.ts';
import { type IntegerOption, integerOption, oneOf, type TextOption, UsageError } from '../options.ts';
import { type Entrant, entrantsOf, type PyTorchStep, requireSameWork, startPyTorchSteps } from '../pytorch-step.ts';
import { type QuietWatch, quietRow, watchQuiet } from '../quiet.ts';
import { runtimeName } from '../runtime.ts';
import { simclrStep } from '../simclr-step.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';
import { type Contestant, inTurns } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly 'batch-sizes': TextOption;
  readonly threads: TextOption;
  readonly rounds: IntegerOption;
  readonly width: IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly compile: TextOption;
}

const all = processors();
const options: Options = {
  'batch-sizes': {
    type: 'text',
    default: '32,64,128,256,512',
    help: 'images per step, separated by commas; each gives two views',
  },
  threads: {
    type: 'text',
    default: all > 1 ? `1,${all}` : '1',
    help: 'threads of the engine and of PyTorch, separated by commas',
  },
  rounds: integerOption(3, 1, 'rounds', 'how often the engine and PyTorch take turns of one step'),
  width: integerOption(64, 1, 'channels', "channels of the encoder's first stage"),
  'image-size': integerOption(64, 8, 'pixels', 'side of the square views'),
  compile: {
    type: 'text',
    default: 'yes',
    help: 'whether PyTorch also tries torch.compile: yes or no; takes minutes for every size',
  },
};

/** One batch size on so many threads. */
interface Cell {
  readonly batchSize: number;
  readonly threads: number;
  /** null if the step does not fit into memory. */
  readonly viewsPerSecond: number | null;
  /** The fastest float32 PyTorch; null without PyTorch. */
  readonly rivalViewsPerSecond: number | null;
  readonly rival: string | null;
  readonly ratio: number | null;
  /** Why there are no figures. */
  readonly problem?: string;
}

/** Measures how the speed of the training step depends on batch and threads, beside PyTorch's. */
export const scaling: Bench<Options> = {
  name: 'scaling',
  summary: 'the training step on simd by batch size and threads, in turns with PyTorch',
  options,
  async run(chosen, log) {
    const batchSizes = integers('batch-sizes', chosen['batch-sizes'], 2);
    const threadCounts = integers('threads', chosen.threads, 1);
    const compile = oneOf('scaling', 'compile', chosen.compile, ['yes', 'no']) === 'yes';
    let rivals: readonly PyTorchStep[] = [];
    const watch = watchQuiet(() => rivals.reduce((sum, rival) => sum + rival.cpuSeconds(), 0));
    await watch.look(500);
    const seconds = new Map<string, readonly number[]>();
    const cells: Cell[] = [];
    let machine = { device: '', version: '' };
    for (const threads of threadCounts) {
      const { device, version } = await startBenchEngine(scaling.name, 'simd', threads);
      machine = { device: device.replace(/, \d+ threads?$/, ''), version };
      for (const batchSize of batchSizes) {
        const { width, 'image-size': imageSize, rounds } = chosen;
        const setRivals = (steps: readonly PyTorchStep[]) => {
          rivals = steps;
        };
        const size = { batchSize, threads, width, imageSize, rounds };
        const cell = await measure(size, { watch, log, setRivals, seconds, compile });
        cells.push(cell);
        log(describe(cell));
      }
      await simdEngine.stop();
    }
    const quietness = watch.verdict(seconds);
    const runtime = runtimeName('simd');
    return {
      record: {
        bench: scaling.name,
        engine: 'simd',
        engineVersion: machine.version,
        device: machine.device,
        runtime,
        width: chosen.width,
        imageSize: chosen['image-size'],
        rounds: chosen.rounds,
        quiet: quietness.quiet,
        disturbances: quietness.disturbances,
        cells,
      },
      table: [
        ['step', `ResNet-18 of width ${chosen.width}, views of ${chosen['image-size']} pixels, float32`],
        ['machine', `${machine.device}; ${runtime}; ${machine.version}`],
        ...cells.map(
          (cell) =>
            [`${cell.batchSize} images, ${cell.threads} threads`, describe(cell).replace(/^.*?: /, '')] as const,
        ),
        quietRow(quietness),
      ],
    } satisfies BenchResult;
  },
};

function integers(name: string, text: string, minimum: number): number[] {
  const values = text.split(',').map(Number);
  if (!values.every((value) => Number.isInteger(value) && value >= minimum)) {
    throw new UsageError(
      `bench scaling: --${name} must be integers of at least ${minimum}, separated by commas, got '${text}'.`,
    );
  }
  return values;
}

interface Surroundings {
  readonly watch: QuietWatch;
  readonly log: Log;
  readonly seconds: Map<string, readonly number[]>;
  readonly compile: boolean;
  setRivals(rivals: readonly PyTorchStep[]): void;
}

async function measure(
  size: Record<'batchSize' | 'threads' | 'width' | 'imageSize' | 'rounds', number>,
  { watch, log, seconds, setRivals, compile }: Surroundings,
): Promise<Cell> {
  const { batchSize, threads, rounds, width, imageSize } = size;
  const views = 2 * batchSize;
  const step = simclrStep({ views, imageSize, width });
  let rivals: readonly PyTorchStep[] = [];
  try {
    const files = { ...step, files: once(step.files) };
    await files.files(); // the weights of the start, for the rivals
    const firstLoss = await step.run(1);
    const found = await startPyTorchSteps(files, { threads, warmUp: 1, compile });
    rivals = found.rivals;
    setRivals(rivals);
    for (const reason of found.missing) log(`no comparison with PyTorch: ${reason}`);
    for (const rival of rivals) requireSameWork({ parameters: step.parameters, firstLoss }, rival);
    await step.run(1);
    const entrants: readonly Entrant[] = entrantsOf(rivals).filter(({ way }) => way.precision === 'float32');
    const contestants: Contestant[] = [
      { name: 'simd', round: () => step.time(1) },
      ...entrants.map(({ name, time }) => ({ name, round: () => time(1) })),
    ];
    await watch.look(); // the rival's start is not counted
    const measured = await inTurns(contestants, { rounds, afterRound: () => watch.lap() });
    for (const [name, times] of measured) seconds.set(`${name}, ${batchSize} images, ${threads} threads`, times);
    const rate = (name: string) => views / summarize(measured.get(name)!).median;
    const own = rate('simd');
    const [rival = null] = entrants.map(({ name }) => name).toSorted((a, b) => rate(b) - rate(a));
    const best = rival === null ? null : rate(rival);
    return {
      batchSize,
      threads,
      viewsPerSecond: significant(own),
      rivalViewsPerSecond: best && significant(best),
      rival,
      ratio: best && significant(own / best, 3),
    };
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('memory exhausted'))) throw error;
    const none = { viewsPerSecond: null, rivalViewsPerSecond: null, rival: null, ratio: null };
    log(error.message);
    return { batchSize, threads, ...none, problem: 'memory exhausted' };
  } finally {
    for (const rival of rivals) rival.stop();
    setRivals([]);
    step.dispose();
  }
}

function once<T>(f: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= f();
    return result;
  };
}

function describe({ batchSize, threads, viewsPerSecond, rivalViewsPerSecond, rival, ratio, problem }: Cell): string {
  const what = `${batchSize} images, ${threads} threads`;
  if (problem) return `${what}: ${problem}`;
  const other = ratio === null ? 'no rival' : `${rival} ${rivalViewsPerSecond}, ratio ${ratio}`;
  return `${what}: ${viewsPerSecond} views/s, ${other}`;
}
