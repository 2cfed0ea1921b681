import { type EngineInUse, useEngine } from '@tfjs-ssl/engine';
import type { WebGpuEngineOptions } from '@tfjs-ssl/engine-webgpu';
import type { Bench } from '../bench.ts';
import type { IntegerOption, TextOption } from '../options.ts';
import { paperStep } from '../paper-step.ts';
import { median, significant } from '../statistics.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly device: TextOption;
  readonly 'batch-size': IntegerOption;
  readonly width: IntegerOption;
  readonly 'image-size': IntegerOption;
  readonly steps: IntegerOption;
}

const options: Options = {
  device: {
    type: 'text',
    default: 'auto',
    help: "'gpu', 'null' (Dawn's device that computes nothing) or 'auto': a GPU, or 'null' where there is none",
  },
  'batch-size': {
    type: 'integer',
    default: 4,
    minimum: 2,
    unit: 'images',
    help: 'images of a step; two views of each',
  },
  width: { type: 'integer', default: 64, minimum: 1, unit: 'channels', help: "channels of the encoder's first stage" },
  'image-size': { type: 'integer', default: 64, minimum: 16, unit: 'pixels', help: 'side of the square images' },
  steps: { type: 'integer', default: 30, minimum: 3, unit: 'steps', help: 'replays that are measured' },
};

/** What a replay of the paper's whole step costs the host, next to running it operation by operation. */
export const capture: Bench<Options> = {
  name: 'capture',
  summary: 'host time of a replayed training step of the paper (augmentation included) on the WebGPU engine',
  options,
  async run(chosen, log) {
    const engine = await start(chosen.device);
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const step = paperStep({
      images: chosen['batch-size'],
      imageSize: chosen['image-size'],
      width: chosen.width,
    });
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
          copies,
          arenaMiB: significant(bytes / 2 ** 20),
          width: chosen.width,
          imageSize: chosen['image-size'],
          steps: chosen.steps,
          runtime: `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`,
        },
        table: [
          [
            'step',
            `ResNet-18 of width ${chosen.width}, ${chosen['batch-size']} images of ${chosen['image-size']} pixels, augmented`,
          ],
          ['recorded', `${dispatches} dispatches, ${copies} copies, ${significant(bytes / 2 ** 20)} MiB`],
          ['replay', `${hostMs} ms of the host, median of ${chosen.steps}`],
          ['operation by operation', `${eagerMs} ms of the host`],
          ['device', engine.device],
        ],
      };
    } finally {
      step.dispose();
    }
  },
};

async function start(device: string): Promise<EngineInUse> {
  const onNull: WebGpuEngineOptions = { dawnOptions: ['backend=null'] };
  if (device === 'null') return useEngine('webgpu', onNull);
  try {
    return await useEngine('webgpu', { requireGpu: true });
  } catch (error) {
    if (device !== 'auto') throw error;
    return useEngine('webgpu', onNull);
  }
}
