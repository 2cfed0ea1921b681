import { isArgumentError } from '@tfjs-ssl/checks';
import { type EngineInUse, startEngine } from '@tfjs-ssl/engine';
import type { Options } from './options-table.ts';
import type { Settings } from './settings/table.ts';
import { inWordsOf, UsageError } from './usage-error.ts';

/**
 * Starts the engine that the options name.
 *
 * @throws UsageError if it is not here, or lacks what the options ask for.
 */
export async function chooseEngine(
  { engine: name, threads, requireGpu, profileStep }: Options,
  settings: Settings,
): Promise<EngineInUse> {
  let engine: EngineInUse;
  try {
    engine = await startEngine(name, { requireGpu, ...(threads !== undefined && { threads }) });
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    throw inWordsOf(error, { name: error.argument === 'name' ? '--engine' : `--${error.argument}` });
  }
  if (!engine.precisions.includes(settings.precision)) {
    throw new UsageError(
      `--precision ${settings.precision}: engine '${engine.name}' computes in ${engine.precisions.join(', ')} only. Leave the option out.`,
    );
  }
  if (profileStep && engine.name !== 'webgpu') {
    throw new UsageError(
      `--profile-step: the kernels of engine '${engine.name}' have no times of a GPU. Take --engine webgpu.`,
    );
  }
  return engine;
}
