import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { startProgram } from './start-program.ts';

const main = fileURLToPath(new URL('../../examples/simclr-tiny-imagenet/dist/study/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-study-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const study = {
  settings: {
    ...{ classes: 2, imagesPerClass: 16, batchSize: 4, epochs: 2, imageSize: 32 },
    encoder: { width: 4 },
  },
  factors: { temperature: [0.1, 0.5] },
  seeds: [0, 1],
};

/** Everything that a study has measured, but the time. */
function numbers(path: string): unknown {
  const { cells, effects, runs } = JSON.parse(readFileSync(join(path, 'study.json'), 'utf8'));
  const timeless = (items: Array<{ seconds: unknown }>) => items.map(({ seconds: _, ...others }) => others);
  return { cells: timeless(cells), effects, runs: timeless(runs) };
}

it('a study killed twice ends with the numbers of an unbroken one', async () => {
  const file = join(folder, 'tiny.json');
  writeFileSync(file, JSON.stringify(study));
  const start = (out: string) => startProgram(main, [file, '--checkpoint-every', '3', '--out', out], folder);
  const whole = start('whole');
  expect(await whole.ended, whole.output()).toBe(0);

  for (const [after, milliseconds] of [
    ['[1/4]', 40],
    ['[2/4]', 150],
  ] as const) {
    const killed = start('killed');
    await killed.printed(after);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    killed.process.kill('SIGKILL');
    await killed.ended;
  }
  const rest = start('killed');
  expect(await rest.ended, rest.output()).toBe(0);
  expect(rest.output()).toMatch(/^[1-3] of them were done before\.$/m);
  expect(numbers(join(folder, 'killed'))).toEqual(numbers(join(folder, 'whole')));
});
