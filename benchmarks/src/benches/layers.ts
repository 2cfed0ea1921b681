import { processors } from '@tfjs-ssl/files';
import type { Bench } from '../bench.ts';
import { layersNetworks, optimizers } from '../layers-networks.ts';
import { type IntegerOption, integerOption, oneOf, type TextOption } from '../options.ts';
import { quietRow, watchQuiet } from '../quiet.ts';
import { quietTurns } from '../quiet-turns.ts';
import { runtimeName } from '../runtime.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly engine: TextOption;
  readonly optimizer: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly rounds: IntegerOption;
  readonly steps: IntegerOption;
  readonly threads: IntegerOption;
}

/** Trains an unchanged tf.layers model and the same network made of our blocks, in turns. */
export const layers: Bench<Options> = {
  name: 'layers',
  summary: 'training an unchanged tf.layers model, in turns with the same network made of our blocks',
  options: {
    engine: { type: 'text', default: 'auto', help: 'engine to measure' },
    optimizer: { type: 'text', default: 'adam', help: `optimizer of both networks: ${optimizers.join(', ')}` },
    'batch-size': integerOption(64, 1, 'images', 'images per step, 32 x 32 pixels'),
    rounds: integerOption(9, 1, 'rounds', 'how often the two networks take turns'),
    steps: integerOption(3, 1, 'steps', 'training steps per round'),
    threads: integerOption(processors(), 1, 'threads', 'threads of the engine'),
  },
  async run(chosen, log) {
    const optimizer = oneOf('layers', 'optimizer', chosen.optimizer, optimizers);
    const engine = await startBenchEngine(layers.name, chosen.engine, chosen.threads);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const watch = watchQuiet(() => 0);
    await watch.look(500);
    const networks = layersNetworks({ batchSize: chosen['batch-size'], optimizer });
    if (networks.stock.parameters !== networks.ours.parameters) {
      throw new Error(
        `bench layers: both networks must have the same parameters, got ${networks.stock.parameters} and ${networks.ours.parameters}.`,
      );
    }
    for (const network of [networks.stock, networks.ours]) {
      for (let step = 0; step < 3; step++) await network.step();
    }
    const contestants = (['stock', 'ours'] as const).map((name) => ({
      name,
      async round() {
        const start = performance.now();
        for (let step = 0; step < chosen.steps; step++) await networks[name].step();
        return (performance.now() - start) / 1000;
      },
    }));
    const { seconds, quietness } = await quietTurns(contestants, { watch, rounds: chosen.rounds, log });
    const milliseconds = (name: string) => summarize(seconds.get(name)!.map((time) => (1000 * time) / chosen.steps));
    const [stock, ours] = [milliseconds('stock'), milliseconds('ours')];
    const ratio = significant(stock.median / ours.median, 3);
    const runtime = runtimeName(engine.name);
    const { parameters } = networks.stock;
    networks.stock.dispose();
    networks.ours.dispose();
    return {
      record: {
        bench: layers.name,
        milliseconds: significant(stock.median),
        oursMilliseconds: significant(ours.median),
        ratio,
        ...{ optimizer, batchSize: chosen['batch-size'], rounds: chosen.rounds, steps: chosen.steps, parameters },
        spread: {
          milliseconds: [significant(stock.minimum), significant(stock.maximum)],
          oursMilliseconds: [significant(ours.minimum), significant(ours.maximum)],
        },
        ...{ engine: engine.name, engineVersion: engine.version, device: engine.device, threads: engine.threads },
        ...{ runtime, quiet: quietness.quiet, disturbances: quietness.disturbances },
      },
      table: [
        ['network', `${parameters} parameters, ${chosen['batch-size']} images of 32 x 32 pixels, ${optimizer}`],
        ['unchanged tf.layers', `${significant(stock.median)} ms per step`],
        ['our blocks', `${significant(ours.median)} ms per step`],
        ['ratio', `tf.layers takes ${ratio} times as long`],
        ['machine', `${engine.device}; ${runtime}`],
        quietRow(quietness),
      ],
    };
  },
};
