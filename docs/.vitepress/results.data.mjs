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

const plain = (value) =>
  Array.isArray(value)
    ? value.map(plain).join(' to ')
    : typeof value === 'object' && value
      ? JSON.stringify(value)
      : `${value}`;

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
          machine: [device, runtime].filter(Boolean).map(plain).join('; ') || 'machine not recorded',
          figures: Object.entries(figures).map(([key, value]) => ({ key, value: plain(value) })),
        };
      }),
};
