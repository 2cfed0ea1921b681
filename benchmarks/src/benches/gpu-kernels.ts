import * as tf from '@tensorflow/tfjs-core';
import { useEngine } from '@tfjs-ssl/engine';
import { type GpuPeaks, measurePeaks, type PeakDevice } from '@tfjs-ssl/engine-webgpu';
import type { Bench, BenchResult } from '../bench.ts';
import { type LayerShape, layerShapes, networks } from '../layer-shapes.ts';
import { type IntegerOption, type OptionValues, type TextOption, UsageError } from '../options.ts';
import { median, significant } from '../statistics.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly network: TextOption;
  readonly precision: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly width: IntegerOption;
  readonly rounds: IntegerOption;
}

const integer = (value: number, minimum: number, unit: string, help: string): IntegerOption => ({
  type: 'integer',
  default: value,
  minimum,
  unit,
  help,
});

const options: Options = {
  network: { type: 'text', default: 'resnet18', help: `network whose layers are measured: ${networks.join(' or ')}` },
  precision: { type: 'text', default: 'float32', help: 'float32 or mixed' },
  'batch-size': integer(512, 1, 'images', 'rows of a batch; a step of 256 images has 512 views'),
  'image-size': integer(64, 8, 'pixels', 'side of the square images'),
  width: integer(64, 1, 'channels', "channels of the encoder's first stage"),
  rounds: integer(9, 1, 'rounds', 'times that each kernel is measured'),
};

/** What the bench needs of the engine's backend. */
interface Backend extends PeakDevice {
  precision: 'float32' | 'mixed';
}

const passes = ['forward', 'inputGradient', 'filterGradient'] as const;
type Pass = (typeof passes)[number];

/** One kernel on one shape. */
interface Row {
  readonly layer: string;
  readonly count: number;
  readonly pass: Pass;
  readonly microseconds: number;
  readonly gigaflops: number;
  /** Part of the device's measured peak, and of what peak and bandwidth allow for this shape. */
  readonly ofPeak: number;
  readonly ofRoofline: number;
}

/** The convolutions of a ResNet and their gradients on the GPU, each beside what the device itself has been measured to reach. */
export const gpuKernels: Bench<Options> = {
  name: 'gpu-kernels',
  summary:
    'convolutions of a ResNet and their gradients on the GPU, per layer, against the measured peaks of the device',
  options,
  async run(chosen, log) {
    const network = oneOf('network', chosen.network, networks);
    const precision = oneOf('precision', chosen.precision, ['float32', 'mixed'] as const);
    const engine = await useEngine('webgpu');
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    if (!engine.precisions.includes(precision)) {
      throw new UsageError(
        `bench gpu-kernels: --precision must be one of ${engine.precisions.join(', ')} on this device, got '${precision}'. It has no float16.`,
      );
    }
    const backend = tf.backend() as unknown as Backend;
    const peaks = await measurePeaks(backend);
    log(`measured peaks: ${JSON.stringify(peaks)}`);
    backend.precision = precision;
    try {
      const rows: Row[] = [];
      for (const layer of layerShapes(network, chosen['image-size'], chosen.width)) {
        rows.push(...(await measureLayer(layer, chosen['batch-size'], chosen.rounds, peakOf(peaks, precision), peaks)));
        log(rows.slice(-passes.length).map(describe).join('; '));
      }
      return report(chosen, engine.device, peaks, rows);
    } finally {
      backend.precision = 'float32';
    }
  },
};

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) {
    throw new UsageError(`bench gpu-kernels: --${name} must be one of ${allowed.join(', ')}, got '${value}'.`);
  }
  return value as T;
}

const peakOf = (peaks: GpuPeaks, precision: string): number =>
  precision === 'mixed' ? (peaks.matrix ?? peaks.multiplyAdd) : peaks.multiplyAdd;

async function measureLayer(
  layer: LayerShape,
  batch: number,
  rounds: number,
  peak: number,
  { bandwidth }: GpuPeaks,
): Promise<Row[]> {
  const { side, channels, outputChannels, window, stride, padding } = layer;
  const x = tf.randomUniform<tf.Rank.R4>([batch, side, side, channels], -1, 1);
  const filter = tf.randomUniform<tf.Rank.R4>([window, window, channels, outputChannels], -1, 1);
  const convolve = () => tf.conv2d(x, filter, stride, padding);
  const dy = convolve();
  const attributes = { strides: stride, pad: padding, dataFormat: 'NHWC' };
  const run = (kernel: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap): tf.Tensor =>
    tf.engine().runKernel(kernel, inputs, { ...attributes, ...more } as unknown as tf.NamedAttrMap);
  const work: Record<Pass, () => tf.Tensor> = {
    forward: convolve,
    inputGradient: () => run('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    filterGradient: () => run('Conv2DBackpropFilter', { x, dy }, { filterShape: filter.shape }),
  };
  const flops = 2 * dy.size * window * window * channels;
  const roof = Math.max(flops / peak, (4 * (x.size + filter.size + dy.size)) / bandwidth);
  const rows: Row[] = [];
  for (const pass of passes) {
    const seconds = await measure(work[pass], rounds);
    rows.push({
      layer: layer.name,
      count: layer.count,
      pass,
      microseconds: significant(seconds * 1e6),
      gigaflops: significant(flops / seconds / 1e9),
      ofPeak: significant(flops / seconds / peak, 3),
      ofRoofline: significant(roof / seconds, 3),
    });
  }
  tf.dispose([x, filter, dy]);
  return rows;
}

/** Median of a kernel's time on the GPU, by its timestamps; where it has none, of the time until its work is done. */
async function measure(f: () => tf.Tensor, rounds: number): Promise<number> {
  await f().data(); // compiles
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { kernelMs } = await tf.time(() => void f().dispose());
    seconds.push((kernelMs as number) / 1000);
  }
  return median(seconds);
}

const describe = ({ layer, pass, gigaflops, ofRoofline }: Row): string =>
  `${layer} ${pass} ${gigaflops} GFLOP/s (${significant(100 * ofRoofline, 3)} % of the roofline)`;

function report(chosen: OptionValues<Options>, device: string, peaks: GpuPeaks, rows: readonly Row[]): BenchResult {
  const milliseconds = (pass: Pass) =>
    significant(
      rows.filter((row) => row.pass === pass).reduce((sum, row) => sum + row.count * row.microseconds, 0) / 1e3,
    );
  const total = Object.fromEntries(passes.map((pass) => [pass, milliseconds(pass)]));
  const tera = (value: number | null) => (value === null ? null : significant(value / 1e12, 3));
  return {
    record: {
      bench: gpuKernels.name,
      device,
      network: chosen.network,
      precision: chosen.precision,
      batchSize: chosen['batch-size'],
      imageSize: chosen['image-size'],
      width: chosen.width,
      rounds: chosen.rounds,
      peakTeraflops: { multiplyAdd: tera(peaks.multiplyAdd), matrix: tera(peaks.matrix) },
      copyGigabytesPerSecond: significant(peaks.bandwidth / 1e9, 3),
      milliseconds: total,
      kernels: rows,
    },
    table: [
      ['device', device],
      [
        'layers',
        `${chosen.network}, ${chosen['batch-size']} images of ${chosen['image-size']} pixels, ${chosen.precision}`,
      ],
      [
        'peaks',
        `${tera(peaks.multiplyAdd)} TFLOP/s multiply-add, ${tera(peaks.matrix) ?? 'no'} TFLOP/s matrix units, ${significant(peaks.bandwidth / 1e9, 3)} GB/s`,
      ],
      ...rows.map(
        (row) =>
          [
            `${row.count} x ${row.layer} ${row.pass}`,
            `${row.microseconds} us, ${row.gigaflops} GFLOP/s, ${significant(100 * row.ofPeak, 3)} % of the peak, ${significant(100 * row.ofRoofline, 3)} % of the roofline`,
          ] as const,
      ),
      ['all layers', passes.map((pass) => `${pass} ${total[pass]} ms`).join(', ')],
    ],
  };
}
