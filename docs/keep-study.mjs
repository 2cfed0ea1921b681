// `node docs/keep-study.mjs FOLDER NAME` keeps of a study's folder what docs/experiment.md shows, in docs/runs/study-NAME.json: the size of its runs, the machine, and the cells and effects
// with their 95 % intervals. No path of the study's machine is kept.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, name] = process.argv.slice(2);
if (name === undefined || !/^[a-z-]+$/.test(name)) {
  console.error('Usage: node docs/keep-study.mjs FOLDER NAME, where NAME has letters and hyphens alone');
  process.exit(2);
}

const json = async (...path) => JSON.parse(await readFile(join(folder, ...path), 'utf8'));
const { title, planned, done, cells, effects, runs } = await json('study.json');
if (done < planned) {
  console.error(
    `The study has ${done} of ${planned} runs. Continue it first: npm run study -- ${name} --out ${folder}`,
  );
  process.exit(1);
}
const [{ cell, seed }] = runs;
const { settings, environment } = await configOf(`${cell.replaceAll(/[^\w.,+-]+/g, '-')}-seed-${seed}`);

async function configOf(run) {
  const { options: _, environment, ...settings } = await json('runs', run, 'config.json');
  return { settings, environment };
}

const round = (value) => Number(value.toPrecision(4));
const estimate = ({ mean, high }) => ({ mean: round(mean), half: high === null ? null : round(high - mean) });
const estimates = (values) =>
  Object.fromEntries(Object.entries(values).map(([measure, value]) => [measure, estimate(value)]));
const kept = {
  title,
  name,
  runs: done,
  seeds: [...new Set(runs.map(({ seed }) => seed))],
  hours: round(runs.reduce((sum, { seconds }) => sum + seconds, 0) / 3600),
  settings,
  environment,
  cells: cells.map(({ name, values, seconds }) => ({ name, seconds: round(seconds.mean), ...estimates(values) })),
  effects: effects.map(({ factor, level, reference, values }) => ({ factor, level, reference, ...estimates(values) })),
};
const file = fileURLToPath(new URL(`runs/study-${name}.json`, import.meta.url));
await writeFile(file, `${JSON.stringify(kept)}\n`);
console.log(`Kept ${done} runs in ${file}`);
