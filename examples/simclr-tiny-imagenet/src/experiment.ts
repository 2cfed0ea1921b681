import { saveWeights } from '@tfjs-ssl/resnet';
import { countParameters } from './blocks.ts';
import { monitorLine, scalarsOf } from './evaluate.ts';
import { follow } from './follow.ts';
import { monitorNow } from './monitor-now.ts';
import { type Experiment, type KeptExperiment, withExperiment } from './open.ts';
import type { ParsedOptions } from './options.ts';
import type { Output } from './progress.ts';
import type { Job } from './ranks/job.ts';
import { writeReport } from './report.ts';
import { resultLines, summarize, trainingSeconds } from './summary.ts';
import { restore, train } from './train.ts';
import { tryOut } from './try-out.ts';

/** How a run ended. */
export type Outcome = 'done' | 'interrupted';

/**
 * Runs the experiment: opens images and models, trains, evaluates, and reports.
 *
 * @param parsed - the options of the call.
 * @param output - where text goes.
 * @param signal - ends the run after the step in progress, with a checkpoint.
 * @param job - the processes that make the run together; all of them call this.
 * @throws UsageError for options that do not fit; the signal's reason if it ends anything else than the training.
 */
export function runExperiment(parsed: ParsedOptions, output: Output, signal: AbortSignal, job: Job): Promise<Outcome> {
  return withExperiment(parsed, output, signal, job, async (experiment) => {
    if (isKept(experiment)) return runInFolder(experiment);
    if (experiment.trains) return follow(experiment);
    await tryOut(experiment);
    return 'done';
  });
}

const isKept = (experiment: Experiment): experiment is KeptExperiment => experiment.folder !== null;

async function runInFolder(run: KeptExperiment): Promise<Outcome> {
  const { settings, engine, data, folder, model, neighbours, totalSteps, bar, start } = run;
  const before = await evaluateBefore(run);
  const earlierSeconds = trainingSeconds(folder.records);
  try {
    if ((await train(run)) === 'interrupted') return 'interrupted';
    await saveWeights(model.encoder, folder.modelPath);
    const trained = await monitorNow(run);
    bar.print(`Trained encoder: ${monitorLine(trained)}`);
    const seconds = earlierSeconds + (performance.now() - start) / 1000;
    const summary = summarize(folder.records, {
      engine: engine.name,
      device: engine.device,
      data: data.name,
      seconds,
      parameters: countParameters(model),
      knn: { before, after: trained.knn.top1 },
    });
    await folder.saveSummary(summary);
    await folder.addScalars(totalSteps, scalarsOf(trained));
    const shown = { classes: data.train.classNames.length, neighbours, folder: folder.path };
    for (const line of resultLines(summary, settings, shown)) bar.print(line);
    return 'done';
  } finally {
    await writeReport(folder, (line) => bar.print(line));
  }
}

/**
 * Evaluates the untrained encoder, unless an earlier call has done so, and then brings the trainer to the last checkpoint.
 *
 * @returns kNN accuracy of the untrained encoder.
 */
async function evaluateBefore(run: KeptExperiment): Promise<number> {
  const { saved, folder, bar } = run;
  const untrained = saved?.knnBefore == null ? await monitorNow(run) : null;
  const before = untrained?.knn.top1 ?? (saved?.knnBefore as number);
  bar.print(`kNN of the untrained encoder: ${(100 * before).toFixed(1)}%`);
  if (untrained || saved?.isLonger) await folder.saveSummary({ knn: { before } });
  const { step } = await restore(run);
  if (step === 0) await folder.addScalars(0, untrained ? scalarsOf(untrained) : { 'evaluation/knn': before });
  return before;
}
