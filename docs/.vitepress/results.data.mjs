// Every file of benchmarks/results, as the page about benchmarks shows it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../benchmarks/results/', import.meta.url));

/** The day on which a result came into the repository, for those that do not say when they were measured. */
function committed(file) {
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%cs', '--', file], { cwd: folder, encoding: 'utf8' });
  return stdout?.trim() ? `committed ${stdout.trim()}` : 'date not recorded';
}

/** Names and values of a result, those of nested objects as `outer.inner`, numbers to four digits. */
function flat(value, name) {
  if (typeof value === 'number') return [{ name, value: `${Number.isInteger(value) ? value : +value.toPrecision(4)}` }];
  if (Array.isArray(value)) return [{ name, value: value.map((item) => flat(item)[0].value).join(' to ') || 'none' }];
  if (typeof value === 'object' && value) {
    return Object.entries(value).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key));
  }
  return [{ name, value: `${value}` }];
}

/** Our speed beside the rival's, in hundredths of the faster one. */
function bars({ engine, rival, viewsPerSecond: ours, rivalViewsPerSecond: theirs }) {
  if (!(ours > 0 && theirs > 0)) return [];
  const width = (speed) => (100 * speed) / Math.max(ours, theirs);
  return [
    { name: engine, speed: ours, width: width(ours) },
    { name: rival, speed: theirs, width: width(theirs) },
  ];
}

export default {
  watch: ['../../benchmarks/results/*.json'],
  load: () =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => {
        const result = JSON.parse(readFileSync(folder + file, 'utf8'));
        const { bench, name, command, date, device, runtime, ...figures } = result;
        return {
          file,
          bench: bench ?? name ?? file.replace(/\.json$/, ''),
          command: command ?? `npm run bench -- ${bench ?? name ?? ''}`.trim(),
          date: date ?? committed(file),
          machine: [device, runtime].filter(Boolean).join('; ') || 'machine not recorded',
          bars: bars(result),
          figures: flat(figures),
        };
      }),
};
