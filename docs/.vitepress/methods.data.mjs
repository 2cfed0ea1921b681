// What the page about methods says of each example: what it has learnt, if that was measured, the time of its step, and its lines.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { countLines } from '../../scripts/count-lines.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const json = (file) => JSON.parse(readFileSync(root + file, 'utf8'));
const learnt = 'examples/methods/results/tiny-imagenet.json';

/** Columns of the results of `npm run methods` that the page shows. */
const shown = ['kNN, %', 'linear, %', 'effective rank'];

export default {
  watch: [
    '../../benchmarks/results/methods-*.json',
    '../../examples/methods/**/*.json',
    '../../examples/methods/src/*.ts',
  ],
  load() {
    const [file] = readdirSync(`${root}benchmarks/results`).filter((name) => /^methods-.*\.json$/.test(name));
    const bench = json(`benchmarks/results/${file}`);
    const lightly = json('examples/methods/lightly-lines.json');
    const results = existsSync(root + learnt) ? json(learnt) : null;
    const places = results ? shown.map((column) => results.columns.indexOf(column)) : [];
    const ofMethod = (name) => {
      const row = results?.rows.find(([method]) => method === name);
      return places.map((place) => row?.[place] ?? '');
    };
    const names = bench.methods.map(({ method }) => method);
    const rows = names.map((name, i) => [
      name,
      ...ofMethod(name),
      bench.methods[i].timesSimclr.toFixed(2),
      `${countLines(readFileSync(`${root}examples/methods/src/${name}.ts`, 'utf8'))}`,
      `${lightly.methods[name] ?? ''}`,
    ]);
    const untrained = results ? [['untrained', ...ofMethod('untrained'), '', '', '']] : [];
    return {
      columns: ['example', ...(results ? shown : []), 'step', 'lines', 'lightly’s lines'],
      rows: [...untrained, ...rows],
      setting: results?.setting ?? null,
      data: results?.runs[0]?.data ?? null,
      bench: {
        command: bench.command,
        machine: `${bench.device}; ${bench.runtime}`,
        milliseconds: bench.methods[0].milliseconds,
        disturbances: bench.quiet === false ? bench.disturbances.join('; ') : null,
      },
      lightly: lightly.source,
    };
  },
};
