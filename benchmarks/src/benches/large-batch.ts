import * as tf from '@tensorflow/tfjs-core';
import { processors } from '@tfjs-ssl/files';
import { namedWeights } from '@tfjs-ssl/layers';
import { ntXent } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { adam, constantSchedule, gradCache, Trainer } from '@tfjs-ssl/trainer';
import type { Bench } from '../bench.ts';
import { type IntegerOption, integerOption, UsageError } from '../options.ts';
import { runtimeName } from '../runtime.ts';
import { startBenchEngine } from '../start-engine.ts';
import { median, significant } from '../statistics.ts';

interface Options extends Record<string, IntegerOption> {
  readonly 'batch-size': IntegerOption;
  readonly chunk: IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly width: IntegerOption;
  readonly steps: IntegerOption;
  readonly threads: IntegerOption;
}

/** A step of SimCLR by `gradCache` and as a whole: its memory and its time. */
export const largeBatch: Bench<Options> = {
  name: 'large-batch',
  summary: "a step of SimCLR in chunks (gradCache) beside the whole: memory and time, on the engine 'simd'",
  options: {
    'batch-size': integerOption(512, 2, 'images', 'images of a step; two views of each'),
    chunk: integerOption(64, 1, 'images', 'images of a chunk; it divides the batch'),
    'image-size': integerOption(64, 8, 'pixels', 'side of the views'),
    width: integerOption(16, 1, 'channels', "channels of the encoder's first stage"),
    steps: integerOption(3, 2, 'steps', 'steps of each; the first is not timed'),
    threads: integerOption(processors(), 1, 'threads', 'threads of the engine'),
  },
  async run(chosen, log) {
    if (chosen['batch-size'] % chosen.chunk !== 0) {
      throw new UsageError(`bench large-batch: --chunk must divide --batch-size ${chosen['batch-size']}, got '${chosen.chunk}'.`); // biome-ignore format: one line
    }
    const engine = await startBenchEngine(largeBatch.name, 'simd', chosen.threads);
    const [rows, size, { width }] = [2 * chosen['batch-size'], chosen['image-size'], chosen];
    const views = tf.randomUniform<tf.Rank.R4>([rows, size, size, 3], 0, 1, 'float32', 3);

    /** Steps in so many chunks. The memory is what the engine has needed so far, in MiB: so the smaller step comes first. */
    async function measure(chunks: number) {
      const encoder = resnet18({ inputShape: [size, size, 3], width, seed: 1 });
      const head = mlpHead({ inputSize: 8 * width, hiddenSizes: [256], outputSize: 128, seed: 2 });
      const weights = namedWeights({ encoder, head });
      const embed = (part: tf.Tensor4D) => head.apply(encoder.apply(part, { training: true }), { training: true });
      const trainer = new Trainer({
        ...weights,
        inputs: { x: { shape: [rows, size, size, 3] } },
        loss: ({ x }) => {
          const z =
            chunks === 1 ? embed(x) : gradCache(tf.split<tf.Tensor4D>(x, chunks), { ...weights, views: 1 }, embed);
          return ntXent(z, { temperature: 0.07 });
        },
        optimizer: adam(),
        schedule: constantSchedule({ learningRate: 3e-4 }),
      });
      const seconds: number[] = [];
      let loss = Number.NaN;
      for (let i = 0; i < chosen.steps; i++) {
        const start = performance.now();
        if (i === 0) ({ loss } = await trainer.step({ x: views }));
        else await trainer.step({ x: views });
        if (i > 0) seconds.push((performance.now() - start) / 1000);
      }
      trainer.dispose();
      encoder.dispose();
      head.dispose();
      const memory: { readonly numBytes: number; readonly wasmBytesReserved?: number } = tf.memory();
      const mebibytes = Math.round((memory.wasmBytesReserved as number) / 2 ** 20);
      log(`${chunks} chunks: ${mebibytes} MiB, ${median(seconds).toFixed(2)} s, first loss ${loss}`);
      return { chunks, mebibytes, secondsPerStep: significant(median(seconds), 3), firstLoss: loss };
    }

    const chunked = await measure(chosen['batch-size'] / chosen.chunk);
    const whole = await measure(1);
    const ratios = {
      memory: significant(chunked.mebibytes / whole.mebibytes, 3),
      time: significant(chunked.secondsPerStep / whole.secondsPerStep, 3),
    };
    const runtime = runtimeName(engine.name);
    const line = (of: typeof whole) => `${of.mebibytes} MiB, ${of.secondsPerStep} s a step, first loss ${of.firstLoss}`;
    return {
      record: {
        bench: largeBatch.name,
        ...{ chunked, whole, ratios, batchSize: rows / 2, chunk: chosen.chunk, imageSize: size, width },
        ...{ engine: engine.name, engineVersion: engine.version, device: engine.device, threads: engine.threads },
        runtime,
      },
      table: [
        ['step', `${rows / 2} images, ${size} pixels, ResNet-18 of width ${width}`],
        [`in chunks of ${chosen.chunk} images`, line(chunked)],
        ['whole', line(whole)],
        ['chunked / whole', `memory ${ratios.memory}, time ${ratios.time}`],
        ['machine', `${engine.device}; ${runtime}`],
      ],
    };
  },
};
