import { normalizing } from './blocks.ts';
import { type Monitor, monitorOf } from './evaluate.ts';
import type { KeptExperiment } from './open.ts';
import { resumeCommand } from './run.ts';

/**
 * Evaluates the encoder of a run as it is now.
 *
 * @throws the signal's reason, after a line that says how to continue.
 */
export async function monitorNow({
  settings,
  model,
  data,
  neighbours,
  feed,
  folder,
  bar,
  signal,
}: KeptExperiment): Promise<Monitor> {
  const transform = normalizing(settings.normalization);
  try {
    return await monitorOf(model.encoder, data, neighbours, { signal, transform, kept: feed.kept });
  } catch (error) {
    if (error === signal.reason)
      bar.print(`Stopped during the evaluation. Nothing is lost. To continue:\n${resumeCommand(folder.path)}`);
    throw error;
  }
}
