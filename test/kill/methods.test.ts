import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import seedrandom from 'seedrandom';
import { afterAll, expect, it } from 'vitest';
import { metrics } from '../../examples/simclr-tiny-imagenet/test-support/read-run.ts';
import { startProgram } from './start-program.ts';

const program = fileURLToPath(new URL('train-method.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-methods-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const kills = 3;
const steps = 20;
/** Draws when the runs are killed; `KILL_SEED` repeats the draws of an earlier test. */
const seed = process.env.KILL_SEED ?? `${Date.now()}`;

/** Everything that a run has kept of its steps but the time, and its last checkpoint: weights, averages, queue, optimizer. */
function kept(run: string): { metrics: unknown[]; checkpoint: Buffer } {
  const checkpoints = readdirSync(join(run, 'checkpoints')).filter((name) => name.endsWith('.safetensors'));
  return {
    metrics: metrics(run),
    checkpoint: readFileSync(join(run, 'checkpoints', checkpoints.sort().at(-1) as string)),
  };
}

/** The names of the tensors in a safetensors file. */
const tensorNames = (file: Buffer): string[] =>
  Object.keys(JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0)))));

it.each([
  ['moco', 'model.queue'],
  ['byol', 'afterUpdate.target.encoder.conv1.weight'],
  ['swav', 'model.prototypes.prototypes.weight'],
])(`%s equals an unbroken run after ${kills} times SIGKILL at a random moment`, async (method, holds) => {
  const start = (run: string) => startProgram(program, [method, run], folder);
  const whole = start(`${method}-whole`);
  await whole.printed('step 0\n');
  const from = performance.now();
  await whole.printed(`step ${steps - 1}\n`);
  const milliseconds = performance.now() - from;
  expect(await whole.ended, whole.output()).toBe(0);
  const expected = kept(join(folder, `${method}-whole`));
  expect(expected.metrics).toHaveLength(steps);
  expect(tensorNames(expected.checkpoint)).toContain(holds);

  console.log(`KILL_SEED=${seed} draws these moments again`);
  const random = seedrandom(`${seed} ${method}`);
  for (let kill = 0; kill < kills; kill++) {
    const killed = start(`${method}-killed`);
    // there is a checkpoint after every third step: this run has written one, and is on its way to the next
    const step = 3 * (kill + 1) + Math.floor(3 * random());
    await killed.printed(`step ${step}\n`);
    const delay = (random() * milliseconds) / steps;
    await new Promise((resolve) => setTimeout(resolve, delay));
    killed.process.kill('SIGKILL');
    await killed.ended;
    console.log(`${method}: killed ${delay.toFixed(0)} ms after step ${step}`);
  }
  const resumed = start(`${method}-killed`);
  expect(await resumed.ended, resumed.output()).toBe(0);
  expect(Number(/begins after (\d+)/.exec(resumed.output())?.[1]), resumed.output()).toBeGreaterThanOrEqual(3 * kills);
  const { metrics, checkpoint } = kept(join(folder, `${method}-killed`));
  expect(metrics).toEqual(expected.metrics);
  expect(checkpoint.equals(expected.checkpoint), 'the last checkpoint, bit for bit').toBe(true);
});
