import * as tf from '@tensorflow/tfjs-core';
import { byolChains, simclrChain, swavChains, type ViewChains, viewPlan } from '@tfjs-ssl/augmentations';
import { processors } from '@tfjs-ssl/files';
import { packImages } from '@tfjs-ssl/ops';
import type { Bench } from '../bench.ts';
import { type IntegerOption, integerOption, type TextOption } from '../options.ts';
import { quietRow, watchQuiet } from '../quiet.ts';
import { quietTurns } from '../quiet-turns.ts';
import { runtimeName } from '../runtime.ts';
import { somePixels } from '../some-pixels.ts';
import { startBenchEngine } from '../start-engine.ts';
import { median, significant } from '../statistics.ts';
import type { Contestant } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly engine: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly rounds: IntegerOption;
  readonly batches: IntegerOption;
  readonly threads: IntegerOption;
}

const [size, smallSize] = [64, 32];
const simclr = simclrChain({ size, strength: 1 });
const crops = swavChains({ size, smallSize });
const plans: Readonly<Record<string, ViewChains>> = {
  'two views by one chain': [simclr, simclr],
  'two views by two chains (BYOL)': byolChains({ size }),
  'two large crops (SwAV)': crops.large,
  'two large crops and six small ones (SwAV)': crops,
};

/** What views cost that differ: chains of their own, and crops of two sizes, beside two views by one chain. */
export const views: Bench<Options> = {
  name: 'views',
  summary: 'views that differ (a chain each, multi-crop) beside two views by one chain, in turns',
  options: {
    engine: { type: 'text', default: 'auto', help: 'engine that computes' },
    'batch-size': integerOption(128, 2, 'images', 'images of a batch'),
    rounds: integerOption(9, 1, 'rounds', 'times that the plans take turns'),
    batches: integerOption(4, 1, 'batches', 'batches in a round'),
    threads: integerOption(processors(), 1, 'threads', 'threads of the engine'),
  },
  async run(chosen, log) {
    const engine = await startBenchEngine(views.name, chosen.engine, chosen.threads);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const images = chosen['batch-size'];
    const pixels = somePixels(images, size);
    const packed = packImages(pixels, [size, size]);
    const positions = Array.from({ length: images }, (_, i) => i);
    const indices = tf.tensor1d(positions, 'int32');
    let epoch = 0;

    const contestants = Object.entries(plans).map(([name, chains]): Contestant & { pixels: number } => {
      const plan = viewPlan(chains);
      const groups = Array.isArray(chains) ? [chains] : Object.values(chains);
      const pixelsOf = (chain: (typeof groups)[number]) => {
        const [height, width] = chain[0]!.outputSize([size, size]);
        return chain.length * height * width;
      };
      return {
        name,
        pixels: groups.reduce((sum, chain) => sum + pixelsOf(chain), 0),
        async round() {
          const start = performance.now();
          for (let i = 0; i < chosen.batches; i++) {
            const sums = tf.tidy(() => {
              const table = plan.sampleTable({ seed: 1, epoch: epoch++, indices: positions, imageSize: size });
              const made = plan.applyPacked(packed, indices, table) as tf.Tensor | Record<string, tf.Tensor>;
              return tf.addN((made instanceof tf.Tensor ? [made] : Object.values(made)).map((group) => tf.sum(group)));
            });
            const [sum] = await sums.data(); // waits for engines that compute asynchronously
            sums.dispose();
            if (!Number.isFinite(sum)) throw new Error(`bench views: views must be finite, got a sum of ${sum}.`);
          }
          return (performance.now() - start) / 1000;
        },
      };
    });
    for (const contestant of contestants) await contestant.round();
    const watch = watchQuiet(() => 0);
    await watch.look(500);
    const { seconds, quietness } = await quietTurns(contestants, { watch, rounds: chosen.rounds, log });
    const results = contestants.map(({ name, pixels: count }) => ({
      plan: name,
      millisecondsPerImage: significant((1000 * median(seconds.get(name)!)) / (images * chosen.batches)),
      pixelsPerImage: count,
    }));
    const [first] = results as [(typeof results)[0]];
    const rows = results.map((result) => ({
      ...result,
      timeRatio: significant(result.millisecondsPerImage / first.millisecondsPerImage, 3),
      pixelRatio: significant(result.pixelsPerImage / first.pixelsPerImage, 3),
    }));
    const runtime = runtimeName(engine.name);
    return {
      record: {
        bench: views.name,
        plans: rows,
        ...{ batchSize: images, imageSize: size, smallSize, rounds: chosen.rounds, batches: chosen.batches },
        ...{ engine: engine.name, engineVersion: engine.version, device: engine.device, threads: engine.threads },
        ...{ runtime, quiet: quietness.quiet, disturbances: quietness.disturbances },
      },
      table: [
        ...rows.map(
          (row) =>
            [
              row.plan,
              `${row.millisecondsPerImage} ms an image, ${row.timeRatio} times the first; ${row.pixelsPerImage} pixels, ${row.pixelRatio} times`,
            ] as const,
        ),
        ['machine', `${engine.device}; ${runtime}`],
        quietRow(quietness),
      ],
    };
  },
};
