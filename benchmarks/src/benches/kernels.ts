import * as tf from '@tensorflow/tfjs-core';
import { measurePeak } from '@tfjs-ssl/engine-simd/profile';
import { processors } from '@tfjs-ssl/files';
import type { Bench, BenchResult } from '../bench.ts';
import { type LayerShape, layerShapes, networks } from '../layer-shapes.ts';
import { type IntegerOption, integerOption, type OptionValues, oneOf, type TextOption } from '../options.ts';
import { type Quietness, quietRow, watchQuiet } from '../quiet.ts';
import { runtimeName } from '../runtime.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';
import { type Contestant, inTurns } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly network: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly width: IntegerOption;
  readonly rounds: IntegerOption;
  readonly threads: IntegerOption;
}

const options: Options = {
  network: { type: 'text', default: 'resnet18', help: `network whose layers to measure: ${networks.join(' or ')}` },
  'batch-size': integerOption(64, 1, 'images', 'rows of a batch; a step of 32 images has 64 views'),
  'image-size': integerOption(64, 8, 'pixels', 'side of the square images'),
  width: integerOption(64, 1, 'channels', "channels of the encoder's first stage"),
  rounds: integerOption(9, 1, 'rounds', 'how often the kernels and the peak take turns'),
  threads: integerOption(processors(), 1, 'threads', 'threads of the engine'),
};

const passes = ['forward', 'inputGradient', 'filterGradient'] as const;
type Pass = (typeof passes)[number];

const PEAK = 'peak';
/** Shortest round in seconds. A kernel that takes less runs several times. */
const LEAST = 0.005;

/** A kernel on one shape, ready to run. */
interface Kernel {
  readonly name: string;
  readonly layer: LayerShape;
  readonly pass: Pass;
  readonly flops: number;
  run(): void;
}

interface Row {
  readonly layer: string;
  readonly count: number;
  readonly pass: Pass;
  readonly milliseconds: number;
  readonly gigaflops: number;
  /** Part of the processor's peak in the same run. It is above 1 if a kernel saves multiplications (Winograd). */
  readonly ofPeak: number;
}

/** Measures the convolutions of a ResNet and their gradients on the CPU engine, per layer, beside the processor's peak. */
export const kernels: Bench<Options> = {
  name: 'kernels',
  summary: 'convolutions of a ResNet and their gradients on simd, per layer, beside the peak of the processor',
  options,
  async run(chosen, log) {
    const network = oneOf('kernels', 'network', chosen.network, networks);
    const engine = await startBenchEngine(kernels.name, 'simd', chosen.threads);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const watch = watchQuiet();
    await watch.look(500);
    for (let i = 0; i < 10; i++) measurePeak(); // until its code is optimised
    const rows: Row[] = [];
    const peaks: number[] = [];
    for (const layer of layerShapes(network, chosen['image-size'], chosen.width)) {
      const { all, dispose } = kernelsOf(layer, chosen['batch-size']);
      const rates = await inTurns([{ name: PEAK, round: async () => 1 / measurePeak() }, ...all.map(contestant)], {
        rounds: chosen.rounds,
        pause: 1,
      });
      dispose();
      watch.lap();
      const peak = 1 / summarize(rates.get(PEAK)!).median;
      peaks.push(peak);
      for (const kernel of all) {
        const { median } = summarize(rates.get(kernel.name)!);
        const gigaflops = significant(kernel.flops / median / 1e9);
        const ofPeak = significant(kernel.flops / median / peak, 3);
        rows.push({ layer: layer.name, count: layer.count, pass: kernel.pass, milliseconds: significant(1000 * median), gigaflops, ofPeak }); // biome-ignore format: one row
      }
      log(rows.slice(-all.length).map(describe).join('; '));
    }
    const peak = summarize(peaks).median;
    return report(chosen, {
      device: engine.device,
      version: engine.version,
      peak,
      rows,
      quietness: watch.verdict(new Map()),
    });
  },
};

/** The three kernels of a layer on random operands. */
function kernelsOf(layer: LayerShape, batch: number): { all: Kernel[]; dispose(): void } {
  const { side, channels, outputChannels, window, stride, padding } = layer;
  const x = tf.randomUniform<tf.Rank.R4>([batch, side, side, channels], -1, 1);
  const filter = tf.randomUniform<tf.Rank.R4>([window, window, channels, outputChannels], -1, 1);
  const dy = tf.conv2d(x, filter, stride, padding);
  const attributes = {
    strides: [stride, stride],
    pad: padding,
    dataFormat: 'NHWC' as const,
    dimRoundingMode: undefined,
  };
  const kernel = (name: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap = {}) => {
    const result = tf.engine().runKernel(name, inputs, { ...attributes, ...more } as unknown as tf.NamedAttrMap);
    (result as tf.Tensor).dispose();
  };
  const runs: Record<Pass, () => void> = {
    forward: () => kernel('Conv2D', { x, filter }, { dilations: [1, 1] }),
    inputGradient: () => kernel('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    filterGradient: () => kernel('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }),
  };
  const flops = 2 * dy.size * window * window * channels;
  return {
    all: passes.map((pass) => ({ name: `${layer.name} ${pass}`, layer, pass, flops, run: runs[pass] })),
    dispose: () => tf.dispose([x, filter, dy]),
  };
}

/** Runs a kernel until its code is optimised, then makes a contestant whose rounds give the seconds of one run. */
function contestant({ name, run }: Kernel): Contestant {
  const time = (times: number) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) run();
    return (performance.now() - start) / 1000;
  };
  time(2);
  const times = Math.ceil(LEAST / time(1));
  return { name, round: async () => time(times) / times };
}

const describe = ({ layer, pass, gigaflops, ofPeak }: Row): string =>
  `${layer} ${pass} ${gigaflops} GFLOP/s (${significant(100 * ofPeak, 3)} % of the peak)`;

interface Measured {
  readonly device: string;
  readonly version: string;
  readonly peak: number;
  readonly rows: readonly Row[];
  readonly quietness: Quietness;
}

function report(chosen: OptionValues<Options>, { device, version, peak, rows, quietness }: Measured): BenchResult {
  const total = Object.fromEntries(
    passes.map((pass) => {
      const own = rows.filter((row) => row.pass === pass);
      return [pass, significant(own.reduce((sum, row) => sum + row.count * row.milliseconds, 0))];
    }),
  );
  const runtime = runtimeName('simd');
  return {
    record: {
      bench: kernels.name,
      engineVersion: version,
      device,
      runtime,
      threads: chosen.threads,
      network: chosen.network,
      batchSize: chosen['batch-size'],
      imageSize: chosen['image-size'],
      width: chosen.width,
      rounds: chosen.rounds,
      peakGigaflops: significant(peak / 1e9),
      milliseconds: total,
      quiet: quietness.quiet,
      disturbances: quietness.disturbances,
      kernels: rows,
    },
    table: [
      ['layers', `${chosen.network}, ${chosen['batch-size']} images of ${chosen['image-size']} pixels, float32`],
      ['machine', `${device}; ${runtime}; ${version}`],
      ['peak', `${significant(peak / 1e9)} GFLOP/s, multiply-adds on ${chosen.threads} threads`],
      ...rows.map(
        (row) =>
          [
            `${row.count} x ${row.layer} ${row.pass}`,
            `${row.milliseconds} ms, ${row.gigaflops} GFLOP/s, ${significant(100 * row.ofPeak, 3)} % of the peak`,
          ] as const,
      ),
      ['all layers', passes.map((pass) => `${pass} ${total[pass]} ms`).join(', ')],
      quietRow(quietness),
    ],
  };
}
