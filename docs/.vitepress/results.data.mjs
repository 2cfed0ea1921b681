// Every file of benchmarks/results, as the page about benchmarks shows it. A bench that is not known here is shown as well, as tables.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../benchmarks/results/', import.meta.url));
const benches = fileURLToPath(new URL('../../benchmarks/src/benches/', import.meta.url));

/** The day on which a result came into the repository, for those that do not say when they were measured. */
function committed(file) {
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%cs', '--', file], { cwd: folder, encoding: 'utf8' });
  return stdout?.trim() ? `committed ${stdout.trim()}` : 'date not recorded';
}

/** The bench of a file whose result does not name it: of those whose name the file's begins with, the longest. */
function benchOf(file) {
  const names = readdirSync(benches).flatMap((name) => name.match(/^([\w-]+)\.ts$/)?.[1] ?? []);
  const fitting = names.filter((name) => file.startsWith(`${name}-`)).sort((a, b) => b.length - a.length);
  return fitting[0] ?? file.replace(/\.json$/, '');
}

/** What a bench says of itself. */
function summaryOf(bench) {
  const source = `${benches}${bench}.ts`;
  if (!existsSync(source)) return '';
  return readFileSync(source, 'utf8').match(/^ {2}summary:\s*(['"])(.*?)\1,$/ms)?.[2] ?? '';
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTable = (value) => Array.isArray(value) && value.length > 0 && value.every(isObject);

const isRange = (value) => value.length === 2 && value.every((end) => typeof end === 'number');

/** A value as text: numbers to four digits. */
function text(value) {
  if (typeof value === 'number') return `${Number.isInteger(value) ? value : +value.toPrecision(4)}`;
  if (Array.isArray(value)) return value.map(text).join(isRange(value) ? ' to ' : ', ') || 'none';
  return isObject(value) ? JSON.stringify(value) : `${value ?? '-'}`;
}

/** Names and values, those of nested objects as `outer.inner`. */
const flat = (value, name = '') =>
  isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name ? `${name}.${key}` : key))
    : [{ name, value }];

/** Lists of objects become tables: a column for every name that a row has. */
function tables(figures) {
  return figures
    .filter(({ value }) => isTable(value))
    .map(({ name, value }) => {
      const rows = value.map((row) => new Map(flat(row).map((cell) => [cell.name, cell.value])));
      const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
      return { name, columns, rows: rows.map((row) => columns.map((column) => cell(column, row.get(column)))) };
    });
}

/** A cell; parts of a peak with how much of it they are. */
const cell = (column, value) => ({
  text: text(value),
  part: /^of[A-Z]/.test(column) && value >= 0 && value <= 1 ? value : null,
});

/** Two contestants, the better one over the whole width. */
function bars({ bench, engine, rival = 'rival', viewsPerSecond, rivalViewsPerSecond, milliseconds, oursMilliseconds }) {
  const bar = (unit, best) => (name, value) => ({
    name,
    value: `${text(value)} ${unit}`,
    width: (100 * value) / best,
    ours: name !== rival && name !== 'stock tf.layers',
  });
  if (viewsPerSecond > 0 && rivalViewsPerSecond > 0) {
    const of = bar('views/s', Math.max(viewsPerSecond, rivalViewsPerSecond));
    return [of(engine ?? 'ours', viewsPerSecond), of(rival, rivalViewsPerSecond)];
  }
  if (bench === 'layers' && milliseconds > 0 && oursMilliseconds > 0) {
    const of = bar('ms a step', Math.max(milliseconds, oursMilliseconds));
    return [of('our blocks', oursMilliseconds), of('stock tf.layers', milliseconds)];
  }
  return [];
}

/** What a ratio compares with, in a few words. */
const rivalOf = ({ bench, rival }) => rival ?? (bench === 'layers' ? 'stock tf.layers' : 'its rival');

function read(file) {
  const result = JSON.parse(readFileSync(folder + file, 'utf8'));
  const { bench = result.name ?? benchOf(file), name, command, date, device, runtime, ...rest } = result;
  const figures = flat(rest);
  const plain = figures.filter(({ value }) => !isTable(value));
  return {
    file,
    bench,
    title:
      [result.engine, runtime?.replace(/^Node\.js (\d+).*/, 'Node $1'), runtime?.match(/AVX\S+/)?.[0], result.precision]
        .filter(Boolean)
        .join(', ') || file,
    command: command ?? `npm run bench -- ${bench}`,
    date: date ?? committed(file),
    machine: [device, runtime].filter(Boolean).join('; ') || 'machine not recorded',
    quiet: result.quiet ?? null,
    disturbances: result.disturbances ?? [],
    ratio: Number.isFinite(result.ratio) ? result.ratio : null,
    rival: rivalOf({ ...result, bench }),
    bars: bars({ ...result, bench }),
    tables: tables(figures),
    figures: plain.map((figure) => ({ name: figure.name, value: text(figure.value) })),
  };
}

export default {
  watch: ['../../benchmarks/results/*.json'],
  load() {
    const results = readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .sort()
      .map(read);
    const names = [...new Set(results.map(({ bench }) => bench))].sort();
    return names.map((bench) => ({
      bench,
      summary: summaryOf(bench),
      results: results.filter((result) => result.bench === bench),
    }));
  },
};
