import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@tfjs-ssl/datasets';
import type { Experiment } from './open.ts';
import { profileLines } from './profile-step.ts';
import { formatDuration, paperLine, toValues } from './progress.ts';

/** Runs a step (`--dry-run`) or a few (`--profile-step`) without a run folder, and prints what they took. */
export async function tryOut({ options, trainer, feed, totalSteps, bar }: Experiment): Promise<void> {
  const stream = feed.batches({ epoch: 0, step: 0 });
  const { value: batch } = await stream.next();
  await stream.return();
  const inputs = feed.inputs(batch as Batch);
  try {
    if (options.profileStep) {
      for (const line of await profileLines(() => trainer.step(inputs))) bar.print(line);
      return;
    }
    const start = performance.now();
    const result = await trainer.step(inputs);
    const seconds = (performance.now() - start) / 1000;
    bar.print(paperLine(toValues({ ...result, epoch: 0 })));
    bar.print(
      `One step took ${seconds.toFixed(2)} s, including warm-up. The run has ${totalSteps.toLocaleString('en')} steps: at most about ${formatDuration(seconds * totalSteps)}.`,
    );
  } finally {
    tf.dispose(inputs);
  }
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;
  bar.print(
    `Memory between steps: ${mib(process.memoryUsage.rss())} in the process, ${mib(tf.memory().numBytes)} in ${tf.memory().numTensors} tensors.`,
  );
}
