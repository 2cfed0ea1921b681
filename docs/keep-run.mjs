// `node docs/keep-run.mjs RUN NAME` (after a build): keeps of a run folder what docs/experiment.md shows, in docs/runs/NAME.json: settings, machine, the means of each epoch, every twentieth
// step and summary.json. Its loss curve goes to docs/public/NAME-loss.svg. No path of the run's machine is kept.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stepsPerEpoch } from '@tfjs-ssl/datasets';
import { lossCurve } from '@tfjs-ssl/report';
import { RunFolder } from '@tfjs-ssl/trainer';

const [folder, name] = process.argv.slice(2);
if (name === undefined || !/^[a-z-]+$/.test(name)) {
  console.error('Usage: node docs/keep-run.mjs RUN NAME, where NAME has letters and hyphens alone');
  process.exit(2);
}

const { config, records } = await RunFolder.open(folder);
const { options: _, environment, ...settings } = config;
const perEpoch = stepsPerEpoch(settings.images.train, settings.batchSize);

const round = (value) => Number(value.toPrecision(6));
const valuesOf = ({ step, loss, metrics, learningRate }) => ({
  step,
  ...{ loss: round(loss), top1: round(metrics.top1), top5: round(metrics.top5), learningRate: round(learningRate) },
});

/** The means of the steps of an epoch. */
function meansOf(epoch) {
  const own = records.filter((record) => record.epoch === epoch);
  const mean = (value) => round(own.reduce((sum, record) => sum + value(record), 0) / own.length);
  return {
    epoch,
    steps: own.length,
    loss: mean(({ loss }) => loss),
    top1: mean(({ metrics }) => metrics.top1),
    top5: mean(({ metrics }) => metrics.top5),
    learningRate: round(own.at(-1).learningRate),
  };
}

const kept = {
  settings,
  environment,
  stepsPerEpoch: perEpoch,
  stepsDone: records.length,
  stepsPlanned: settings.epochs * perEpoch,
  trainingHours: round(
    records.reduce((sum, { seconds: { load, prepare, step } }) => sum + load + prepare + step, 0) / 3600,
  ),
  epochs: [...new Set(records.map(({ epoch }) => epoch))].map(meansOf),
  lastStep: valuesOf(records.at(-1)),
  everyTwentiethStep: records.filter(({ step }) => step % 20 === 0).map(valuesOf),
  summary: JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')),
};
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
await writeFile(here(`runs/${name}.json`), `${JSON.stringify(kept)}\n`);
const title = `SimCLR on ${settings.images.data}: training loss (${settings.preset}, ${settings.scale})`;
await writeFile(here(`public/${name}-loss.svg`), await lossCurve(records, { stepsPerEpoch: perEpoch, title }));
console.log(`Kept ${records.length} steps of ${kept.stepsPlanned} in docs/runs/${name}.json`);
