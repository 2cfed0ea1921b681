import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { blurKernelSize, simclrChain } from '@tfjs-ssl/augmentations';
import { processors } from '@tfjs-ssl/files';
import { packImages } from '@tfjs-ssl/ops';
import type { Bench } from '../bench.ts';
import { type IntegerOption, integerOption, type TextOption } from '../options.ts';
import { quietRow, watchQuiet } from '../quiet.ts';
import { quietTurns } from '../quiet-turns.ts';
import { pythonInterpreter, startRival } from '../rival.ts';
import { runtimeName } from '../runtime.ts';
import { somePixels } from '../some-pixels.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';
import type { Contestant } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly engine: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly rounds: IntegerOption;
  readonly batches: IntegerOption;
  readonly threads: IntegerOption;
}

const RIVAL = 'torchvision';

/** Measures the paper's chain from 8-bit images to float views, in turns with torchvision on PIL images in as many processes. */
export const augment: Bench<Options> = {
  name: 'augment',
  summary: "the paper's augmentations, from 8-bit images to views, in turns with torchvision on PIL images",
  options: {
    engine: { type: 'text', default: 'auto', help: 'engine to measure' },
    'batch-size': integerOption(256, 2, 'images', 'images per batch; each gives two views'),
    'image-size': integerOption(64, 8, 'pixels', 'side of the square images and views'),
    rounds: integerOption(9, 1, 'rounds', 'how often the engine and torchvision take turns'),
    batches: integerOption(2, 1, 'batches', 'batches per round'),
    threads: integerOption(processors(), 1, 'threads', 'threads of the engine, and processes of torchvision'),
  },
  async run(chosen, log) {
    const engine = await startBenchEngine(augment.name, chosen.engine, chosen.threads);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const [images, size] = [chosen['batch-size'], chosen['image-size']];
    const chain = simclrChain({ size, solarizeProbability: 0.2, blurProbability: 1 });
    const pixels = somePixels(images, size);
    const positions = Array.from({ length: images }, (_, i) => i);

    let epoch = 0;
    /** Draws the parameters and makes the views of one batch, including the upload of its bytes. */
    async function batch(): Promise<void> {
      const views = tf.tidy(() => {
        const packed = packImages(pixels, [size, size]);
        const table = chain.sampleTable({ seed: 1, epoch: epoch++, indices: positions, imageSize: size });
        return tf.sum(chain.applyPacked(packed, tf.tensor1d(positions, 'int32'), table));
      });
      const [sum] = await views.data(); // waits for engines that compute asynchronously
      views.dispose();
      if (!Number.isFinite(sum)) throw new Error(`bench augment: views must be finite, got a sum of ${sum}.`);
    }

    const script = fileURLToPath(new URL('../../pytorch/augment.py', import.meta.url));
    const configuration = {
      images,
      imageSize: size,
      size,
      processes: chosen.threads,
      kernelSize: blurKernelSize(size),
    };
    const command = [pythonInterpreter(), script, JSON.stringify(configuration)] as const;
    const found = await startRival<{ version: string; processes: number }>(command);
    const rival = 'missing' in found ? null : found;
    if ('missing' in found) log(`no comparison with torchvision: ${found.missing}`);
    let rivalSeconds = 0;
    try {
      for (let i = 0; i < 3; i++) await batch();
      const views = 2 * images * chosen.batches;
      const watch = watchQuiet(() => rivalSeconds);
      await watch.look(500);
      const contestants: Contestant[] = [
        {
          name: engine.name,
          async round() {
            const start = performance.now();
            for (let i = 0; i < chosen.batches; i++) await batch();
            return (performance.now() - start) / 1000;
          },
        },
      ];
      if (rival) {
        contestants.push({
          name: RIVAL,
          async round() {
            const { seconds, cpuSeconds } = await rival.ask<{ seconds: number; cpuSeconds: number }>({ views });
            rivalSeconds = cpuSeconds;
            return seconds;
          },
        });
      }
      const { seconds, quietness } = await quietTurns(contestants, { watch, rounds: chosen.rounds, log });
      const rate = (name: string) => summarize(seconds.get(name)!.map((time) => views / time));
      const own = rate(engine.name);
      const theirs = rival && rate(RIVAL);
      const ratio = theirs && significant(own.median / theirs.median, 3);
      const runtime = runtimeName(engine.name);
      return {
        record: {
          bench: augment.name,
          viewsPerSecond: significant(own.median),
          rivalViewsPerSecond: theirs && significant(theirs.median),
          rival: rival?.hello.version ?? null,
          ratio,
          spread: {
            viewsPerSecond: [significant(own.minimum), significant(own.maximum)],
            rivalViewsPerSecond: theirs && [significant(theirs.minimum), significant(theirs.maximum)],
          },
          ...{ batchSize: images, imageSize: size, rounds: chosen.rounds, batches: chosen.batches },
          ...{ engine: engine.name, engineVersion: engine.version, device: engine.device, threads: engine.threads },
          ...{ rivalProcesses: rival?.hello.processes ?? null, runtime },
          ...{ quiet: quietness.quiet, disturbances: quietness.disturbances },
        },
        table: [
          ['chain', `the paper's, ${images} images of ${size} pixels, two views of each`],
          [`${engine.name}, ${engine.threads} threads`, `${significant(own.median)} views/s`],
          ...(theirs
            ? [
                [
                  `${rival!.hello.version}, ${rival!.hello.processes} processes`,
                  `${significant(theirs.median)} views/s`,
                ] as const,
              ]
            : []),
          ['ratio', ratio === null ? 'no rival' : `${ratio} times as fast as torchvision`],
          ['machine', `${engine.device}; ${runtime}`],
          quietRow(quietness),
        ],
      };
    } finally {
      rival?.stop();
    }
  },
};
