import { type EngineInUse, type Precision, startEngine } from '@tfjs-ssl/engine';
import type { WebgpuEngineOptions } from '@tfjs-ssl/engine-webgpu';
import type { Bench } from '../bench.ts';
import { countOnImaginedDevice } from '../imagined-device.ts';
import { type IntegerOption, integerOption, oneOf, type TextOption } from '../options.ts';
import { paperStep } from '../paper-step.ts';
import { runtimeName } from '../runtime.ts';
import { median, significant } from '../statistics.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly device: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly width: IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly precision: TextOption;
  readonly steps: IntegerOption;
  readonly 'at-most': IntegerOption;
}

const options: Options = {
  device: {
    type: 'text',
    default: 'auto',
    help: "gpu, null (Dawn's device that computes nothing), or auto (a GPU, or null if there is none)",
  },
  'batch-size': integerOption(4, 2, 'images', 'images per timed step; each gives two views'),
  width: integerOption(64, 1, 'channels', "channels of the encoder's first stage"),
  'image-size': integerOption(64, 16, 'pixels', 'side of the square images'),
  precision: { type: 'text', default: 'float32', help: 'precision of both steps: float32 or mixed' },
  steps: integerOption(30, 3, 'steps', 'replays to measure'),
  'at-most': integerOption(100_000, 1, 'dispatches', "fail if the paper's step has more dispatches than this"),
};

/** The paper's step: 256 images of 64 pixels, ResNet-18 at its width. */
const paper = { images: 256, imageSize: 64, width: 64 } as const;

/** Dispatches and copies of the paper's step on a device that binds 12 storage buffers. */
async function countPaperStep(precision: Precision) {
  const { storageBuffers, dispatches, copies, bytes } = await countOnImaginedDevice(() => {
    const step = paperStep(paper, precision);
    try {
      return step.size();
    } finally {
      step.dispose();
    }
  });
  return { batchSize: paper.images, storageBuffers, dispatches, copies, arenaMiB: significant(bytes / 2 ** 20) };
}

/** Measures what a replay of the paper's complete step costs the host, beside the same step run op by op. */
export const capture: Bench<Options> = {
  name: 'capture',
  summary: "host time of the paper's training step, replayed on webgpu (with augmentation)",
  options,
  async run(chosen, log) {
    const precision = oneOf('capture', 'precision', chosen.precision, ['float32', 'mixed'] as const);
    const counted = await countPaperStep(precision);
    log(
      `the paper's step: ${counted.dispatches} dispatches on a device that binds ${counted.storageBuffers} storage buffers`,
    );
    if (counted.dispatches > chosen['at-most']) {
      throw new Error(
        `bench capture: the paper's step must have at most ${chosen['at-most']} dispatches, got ${counted.dispatches}. Fuse what is new, or raise --at-most.`,
      );
    }
    const engine = await start(chosen.device);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    oneOf('capture', 'precision', precision, engine.precisions);
    const size = { images: chosen['batch-size'], imageSize: chosen['image-size'], width: chosen.width };
    const step = paperStep(size, precision);
    try {
      await step.eager(); // compiles the programs
      const eager: number[] = [];
      for (let i = 0; i < 3; i++) eager.push(await step.eager());
      await step.replayed(); // records
      log('recorded');
      const replayed: number[] = [];
      for (let i = 0; i < chosen.steps; i++) replayed.push(await step.replayed());
      const { dispatches, copies, bytes } = step.size();
      const [hostMs, eagerMs] = [median(replayed), median(eager)].map((value) => significant(value, 3));
      return {
        record: {
          dispatches,
          hostMs,
          eagerMs,
          device: engine.device,
          batchSize: chosen['batch-size'],
          paperStep: counted,
          copies,
          arenaMiB: significant(bytes / 2 ** 20),
          width: chosen.width,
          imageSize: chosen['image-size'],
          precision,
          steps: chosen.steps,
          runtime: runtimeName(engine.name),
        },
        table: [
          [
            'step',
            `ResNet-18 of width ${chosen.width}, ${chosen['batch-size']} images of ${chosen['image-size']} pixels, augmented, ${precision}`,
          ],
          ['recorded', `${dispatches} dispatches, ${copies} copies, ${significant(bytes / 2 ** 20)} MiB`],
          ['replay', `${hostMs} ms of host time, median of ${chosen.steps}`],
          ['op by op', `${eagerMs} ms of host time`],
          ['device', engine.device],
          [
            "the paper's step",
            `${paper.images} images, ${counted.dispatches} dispatches with ${counted.storageBuffers} storage buffers (counted, not computed)`,
          ],
        ],
      };
    } finally {
      step.dispose();
    }
  },
};

async function start(device: string): Promise<EngineInUse> {
  const onNull: WebgpuEngineOptions = { dawnOptions: ['backend=null'] };
  if (device === 'null') return startEngine('webgpu', onNull);
  try {
    return await startEngine('webgpu', { requireGpu: true });
  } catch (error) {
    if (device !== 'auto') throw error;
    return startEngine('webgpu', onNull);
  }
}
