import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configDifferences, formatDifferences } from '@tfjs-ssl/trainer';
import { monitorLine, scalarsOf } from './evaluate.ts';
import { isEvaluatedAfter } from './follow.ts';
import { monitorNow } from './monitor-now.ts';
import type { KeptExperiment } from './open.ts';
import { epochLine, paperLine, toValues } from './progress.ts';
import { viewsFile, writeLossCurve, writeReport } from './report.ts';
import { resumeCommand } from './run.ts';
import { sampleViews } from './sample-views.ts';

/** Milliseconds after which a checkpoint brings the report up to date. */
const reportEvery = 60_000;

/** Brings the trainer to the last checkpoint of the run, and says where it stands. */
export async function restore({
  folder,
  trainer,
  saved,
  environment,
  totalSteps,
  bar,
}: KeptExperiment): Promise<{ readonly step: number }> {
  const { step, rejected } = await folder.restore(trainer);
  for (const { path, reason } of rejected) bar.print(`Cannot use the checkpoint ${path}: ${reason}`);
  if (!saved) return { step };
  bar.print(`Resuming ${folder.path} at step ${step} of ${totalSteps}`);
  const changes = configDifferences(saved.environment, environment);
  if (changes.length > 0) {
    const effect = changes.some(({ name }) => name === 'comparison')
      ? 'Each image is compared with others than before, and the losses differ'
      : 'The last digits may differ';
    bar.print(
      `The device or the versions have changed. ${effect} from those of an unbroken run:\n${formatDifferences(changes)}`,
    );
  }
  return { step };
}

/** Trains from where the trainer stands to the last step, or until the signal; `follow` is what the other ranks do meanwhile. */
export async function train(run: KeptExperiment): Promise<'done' | 'interrupted'> {
  const { options, settings, folder, trainer, feed, data, totalSteps, bar, signal, job } = run;
  const { epochs } = settings;
  const print = (line: string) => bar.print(line);
  if (!existsSync(join(folder.path, viewsFile)))
    await folder.saveFile(viewsFile, await sampleViews(data.train, settings));
  await job.meet();
  const events = trainer.fit({
    ...feed,
    epochs,
    run: folder,
    signal,
    on: { checkpoint: () => writeLossCurve(folder, print) },
    ...(options.checkpointEvery === undefined ? {} : { checkpointEvery: options.checkpointEvery }),
  });
  let reportedAt = performance.now();
  for await (const event of events) {
    if (event.type === 'step') {
      const values = toValues(event);
      bar.update(values);
      if (event.step % 100 === 0) print(paperLine(values));
    } else if (event.type === 'epoch') {
      print(epochLine(toValues({ ...event, step: 0 }), event.imagesPerSecond, event.skippedSteps));
      if (isEvaluatedAfter(event.epoch, run)) {
        const monitor = await monitorNow(run);
        print(`[Epoch ${event.epoch + 1}] ${monitorLine(monitor)}`);
        await folder.addScalars(event.stepsDone, scalarsOf(monitor));
        await job.meet();
      }
    } else if (event.type === 'checkpoint' && performance.now() - reportedAt > reportEvery) {
      await writeReport(folder, print);
      reportedAt = performance.now();
    } else if (event.type === 'interrupted') {
      print(`Stopped after step ${event.stepsDone} of ${totalSteps}. Nothing is lost. To continue:`);
      print(resumeCommand(folder.path));
      return 'interrupted';
    }
  }
  bar.clear();
  return 'done';
}
