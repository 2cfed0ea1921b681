import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { convolutionCandidates, type GpuPeaks, measurePeaks, type PeakDevice } from '@tfjs-ssl/engine-webgpu/profile';
import type { Bench, BenchResult } from '../bench.ts';
import { type LayerShape, layerShapes, networks } from '../layer-shapes.ts';
import { type IntegerOption, type OptionValues, oneOf, type TextOption, UsageError } from '../options.ts';
import { runtimeName } from '../runtime.ts';
import { median, significant } from '../statistics.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly network: TextOption;
  readonly precision: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly width: IntegerOption;
  readonly rounds: IntegerOption;
  readonly candidates: IntegerOption;
}

const integer = (value: number, minimum: number, unit: string, help: string): IntegerOption => ({
  type: 'integer',
  default: value,
  minimum,
  unit,
  help,
});

const options: Options = {
  network: { type: 'text', default: 'resnet18', help: `network whose layers to measure: ${networks.join(' or ')}` },
  precision: { type: 'text', default: 'float32', help: 'precision: float32 or mixed' },
  'batch-size': integer(512, 1, 'images', 'rows of a batch; a step of 256 images has 512 views'),
  'image-size': integer(64, 8, 'pixels', 'side of the square images'),
  width: integer(64, 1, 'channels', "channels of the encoder's first stage"),
  rounds: integer(9, 1, 'rounds', 'how often to measure each kernel'),
  candidates: integer(1, 1, 'schedules', 'tiles and splits to measure per kernel, starting with the one in use'),
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
  /** Tile and parts in use. */
  readonly schedule: string;
  readonly microseconds: number;
  readonly gigaflops: number;
  /** Part of the device's measured peak, and of what peak and bandwidth allow for this shape. */
  readonly ofPeak: number;
  readonly ofRoofline: number;
  /** Microseconds of every schedule that was measured, fastest first. */
  readonly measured: ReadonlyArray<readonly [schedule: string, microseconds: number]>;
}

/** Measures the convolutions of a ResNet and their gradients on the GPU, beside the rates that the device reaches. */
export const gpuKernels: Bench<Options> = {
  name: 'gpu-kernels',
  summary: 'convolutions of a ResNet and their gradients on the GPU, per layer, beside the peaks of the device',
  options,
  async run(chosen, log) {
    const network = oneOf('gpu-kernels', 'network', chosen.network, networks);
    const precision = oneOf('gpu-kernels', 'precision', chosen.precision, ['float32', 'mixed'] as const);
    const engine = await startEngine('webgpu');
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    if (!engine.precisions.includes(precision)) {
      throw new UsageError(
        `bench gpu-kernels: --precision must be one of ${engine.precisions.join(', ')} on this device, got '${precision}'. It has no float16.`,
      );
    }
    const backend = tf.backend() as unknown as Backend;
    if (!backend.device.features.has('timestamp-query')) {
      throw new Error(
        'bench gpu-kernels: the device must have the feature timestamp-query and has not. Measure on another one.',
      );
    }
    const peaks = await measurePeaks(backend);
    log(`measured peaks: ${JSON.stringify(peaks)}`);
    backend.precision = precision;
    try {
      const { rounds, candidates } = chosen;
      const measuring = {
        ...{ rounds, candidates, peak: peakOf(peaks, precision), bandwidth: peaks.bandwidth },
        activationBytes: (channels: number) => (precision === 'mixed' && channels % 4 === 0 ? 2 : 4),
      };
      const rows: Row[] = [];
      for (const layer of layerShapes(network, chosen['image-size'], chosen.width)) {
        rows.push(...(await measureLayer(layer, { ...measuring, batch: chosen['batch-size'] })));
        log(rows.slice(-passes.length).map(describe).join('; '));
      }
      return report(chosen, engine.device, peaks, rows);
    } finally {
      backend.precision = 'float32';
    }
  },
};

const peakOf = (peaks: GpuPeaks, precision: string): number =>
  precision === 'mixed' ? (peaks.matrix ?? peaks.multiplyAdd) : peaks.multiplyAdd;

async function measureLayer(
  layer: LayerShape,
  {
    batch,
    rounds,
    candidates,
    peak,
    bandwidth,
    activationBytes,
  }: Record<'batch' | 'rounds' | 'candidates' | 'peak' | 'bandwidth', number> & {
    activationBytes(channels: number): number;
  },
): Promise<Row[]> {
  const { side, channels, outputChannels, window, stride, padding } = layer;
  // as a convolution leaves it: in mixed precision, activations lie as float16
  const x = tf.tidy(() =>
    tf.conv2d(
      tf.randomUniform<tf.Rank.R4>([batch, side, side, channels], -1, 1),
      tf.reshape<tf.Rank.R4>(tf.eye(channels), [1, 1, channels, channels]),
      1,
      'valid',
    ),
  );
  const filter = tf.randomUniform<tf.Rank.R4>([window, window, channels, outputChannels], -1, 1);
  const dy = tf.conv2d(x, filter, stride, padding);
  const flops = 2 * dy.size * window * window * channels;
  const bytes = activationBytes(channels) * x.size + 4 * filter.size + activationBytes(outputChannels) * dy.size;
  const roof = Math.max(flops / peak, bytes / bandwidth);
  const ways = convolutionCandidates({ x, filter, dy, stride, padding }, candidates);
  const rows: Row[] = [];
  for (const pass of passes) {
    const measured: Array<readonly [string, number]> = [];
    for (const { name, run } of ways[pass]) measured.push([name, significant(1e6 * (await measure(run, rounds)))]);
    const [schedule, microseconds] = measured[0]!;
    rows.push({
      layer: layer.name,
      count: layer.count,
      pass,
      schedule,
      microseconds,
      gigaflops: significant(flops / microseconds / 1e3),
      ofPeak: significant((1e6 * flops) / microseconds / peak, 3),
      ofRoofline: significant((1e6 * roof) / microseconds, 3),
      measured: measured.toSorted((a, b) => a[1] - b[1]),
    });
  }
  tf.dispose([x, filter, dy]);
  return rows;
}

/** Median of the seconds that a kernel takes on the GPU, by the GPU's own timestamps. */
async function measure(f: () => tf.Tensor, rounds: number): Promise<number> {
  await f().data(); // compiles
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { kernelMs } = await tf.time(() => void f().dispose());
    seconds.push((kernelMs as number) / 1000);
  }
  return median(seconds);
}

const describe = ({ layer, pass, schedule, gigaflops, ofRoofline, measured }: Row): string => {
  const [best] = measured[0]!;
  const better = best === schedule ? '' : `, faster with ${best}`;
  return `${layer} ${pass} ${gigaflops} GFLOP/s (${significant(100 * ofRoofline, 3)} % of the roofline${better})`;
};

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
      runtime: runtimeName('webgpu'),
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
            `${row.schedule}: ${row.microseconds} us, ${row.gigaflops} GFLOP/s, ${significant(100 * row.ofPeak, 3)} % of the peak, ${significant(100 * row.ofRoofline, 3)} % of the roofline`,
          ] as const,
      ),
      ['all layers', passes.map((pass) => `${pass} ${total[pass]} ms`).join(', ')],
    ],
  };
}
