import { generatedImages } from '@tfjs-ssl/datasets';
import { processors } from '@tfjs-ssl/files';
import { methods as examples } from 'methods';
import type { Bench } from '../bench.ts';
import { type IntegerOption, integerOption, type TextOption, UsageError } from '../options.ts';
import { type PacedTraining, startPaced } from '../paced-training.ts';
import { watchQuiet } from '../quiet.ts';
import { runtimeName } from '../runtime.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';
import { inTurns } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly engine: TextOption;
  readonly methods: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly rounds: IntegerOption;
  readonly steps: IntegerOption;
  readonly threads: IntegerOption;
}

const known = Object.keys(examples).filter((name) => name !== 'untrained');

/** Steps of the examples of all methods, views included. */
export const methods: Bench<Options> = {
  name: 'methods',
  summary: 'a training step of every method of examples/methods beside that of SimCLR, in turns',
  options: {
    engine: { type: 'text', default: 'simd', help: 'engine that trains' },
    methods: { type: 'text', default: 'all', help: `methods beside SimCLR, with commas: ${known.join(', ')}, or all` },
    'batch-size': integerOption(32, 2, 'images', 'images of a step'),
    'image-size': integerOption(64, 16, 'pixels', 'side of the images'),
    rounds: integerOption(9, 1, 'rounds', 'times that the methods take turns'),
    steps: integerOption(4, 1, 'steps', 'steps of a round'),
    threads: integerOption(processors(), 1, 'threads', 'threads of the engine'),
  },
  async run(chosen, log) {
    const asked = chosen.methods === 'all' ? known : chosen.methods.split(',');
    const unknown = asked.filter((name) => !known.includes(name));
    if (unknown.length > 0)
      throw new UsageError(
        `bench methods: --methods must be some of ${known.join(', ')}, or all, got '${unknown[0]}'.`,
      );
    const engine = await startBenchEngine(methods.name, chosen.engine, chosen.threads);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const [size, batchSize] = [chosen['image-size'], chosen['batch-size']];
    const images = generatedImages({ classes: 2, imagesPerClass: batchSize, size });
    const trainings: PacedTraining[] = [];
    for (const name of new Set(['simclr', ...asked])) {
      const { train } = await examples[name]!();
      const training = await startPaced(name, (onEvent) => train({ images, size, batchSize, epochs: 10_000, seed: 1, onEvent })); // biome-ignore format: one line
      trainings.push(training);
      await training.steps(4); // past the first epoch, in which some layers do not train
      log(`${name} has warmed up`);
    }
    const watch = watchQuiet(() => 0);
    await watch.look(500);
    const contestants = trainings.map((training) => ({
      name: training.name,
      round: async () => (await training.steps(chosen.steps)) / chosen.steps,
    }));
    const seconds = await inTurns(contestants, {
      rounds: chosen.rounds,
      afterRound: async (round) => {
        watch.lap();
        log(`round ${round + 1} of ${chosen.rounds}`);
        await watch.look();
      },
    });
    for (const training of trainings) await training.stop();
    const quietness = watch.verdict(seconds);
    const summaries = contestants.map(({ name }) => ({ name, ...summarize(seconds.get(name)!) }));
    const rows = summaries.map(({ name, median, minimum, maximum }) => ({
      method: name,
      milliseconds: significant(1000 * median),
      spread: [significant(1000 * minimum), significant(1000 * maximum)],
      timesSimclr: significant(median / summaries[0]!.median, 3),
    }));
    const runtime = runtimeName(engine.name);
    return {
      record: {
        bench: methods.name,
        methods: rows,
        ...{ batchSize, imageSize: size, rounds: chosen.rounds, steps: chosen.steps },
        ...{ engine: engine.name, engineVersion: engine.version, device: engine.device, threads: engine.threads },
        ...{ runtime, quiet: quietness.quiet, disturbances: quietness.disturbances },
      },
      table: [
        ...rows.map(
          ({ method, milliseconds, timesSimclr }) =>
            [method, `${milliseconds} ms a step, ${timesSimclr} times SimCLR's`] as const,
        ),
        ['machine', `${engine.device}; ${runtime}`],
        ['quiet', quietness.quiet ? 'yes' : `NO, do not use these figures: ${quietness.disturbances.join('; ')}`],
      ],
    };
  },
};
