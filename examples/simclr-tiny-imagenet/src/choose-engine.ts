import { isArgumentError } from '@tfjs-ssl/checks';
import { availableEngines, type EngineInUse, startEngine } from '@tfjs-ssl/engine';
import type { Options } from './options-table.ts';
import type { Settings } from './settings/table.ts';
import { inWordsOf, UsageError } from './usage-error.ts';

/**
 * Starts the engine that the options name.
 *
 * @param ofRank - of one of several ranks, the threads to take if the options name none.
 * @throws UsageError if it is not here, or lacks what the options ask for.
 */
export async function chooseEngine(
  { engine: asked, threads: given, requireGpu, profileStep }: Options,
  settings: Settings,
  ofRank?: { readonly threads: number },
): Promise<EngineInUse> {
  const name = asked === 'auto' && ofRank ? await fastestForRanks() : asked;
  const threads = given ?? ofRank?.threads;
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

/** The first engine that `auto` would take and on which ranks compute what one process does; `webgpu` has to be named. */
async function fastestForRanks(): Promise<string> {
  const engines = await availableEngines();
  return engines.find(({ name, available }) => available && name !== 'webgpu')?.name ?? 'simd';
}
