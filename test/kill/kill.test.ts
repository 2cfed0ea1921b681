import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import seedrandom from 'seedrandom';
import { afterAll, expect, it } from 'vitest';
import { startProgram } from './start-program.ts';

const main = fileURLToPath(new URL('../../examples/simclr-tiny-imagenet/dist/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Draws when the runs are killed; `KILL_SEED` repeats the draws of an earlier test. */
const seed = process.env.KILL_SEED ?? `${Date.now()}`;
const checkpointEvery = 5;
const steps = 20;
// 2 epochs of 10 steps, heavy enough that a kill can fall anywhere
const setting = [
  '--classes',
  '4',
  '--images-per-class',
  '80',
  '--epochs',
  '2',
  '--checkpoint-every',
  `${checkpointEvery}`,
];

const start = (args: string[]) => startProgram(main, args, folder);

/** The steps of metrics.jsonl with what must not depend on how often the run was interrupted. */
function metrics(run: string): unknown[] {
  return readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { seconds: _, imagesPerSecond: __, ...values } = JSON.parse(line);
      return values;
    });
}

function lastCheckpoint(run: string): number {
  const folder = join(run, 'checkpoints');
  if (!existsSync(folder)) return 0; // killed before the first one
  const steps = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => Number(/\d+/.exec(name)?.[0]));
  return Math.max(0, ...steps);
}

it.each(['SIGTERM', 'SIGHUP'] as const)('ends with a checkpoint on %s', async (signal) => {
  const path = join(folder, signal);
  const run = start([...setting, '--out', path]);
  await run.printed('[Epoch 1] Step 0:');
  run.process.kill(signal);
  expect(await run.ended, run.output()).toBe(130);
  expect(run.output()).toContain(`--resume ${path}`);
  expect(metrics(path)).toHaveLength(lastCheckpoint(path));
});

it('takes a signal that comes twice at once as one, as under npm and a scheduler', async () => {
  const path = join(folder, 'twice');
  const run = start([...setting, '--out', path]);
  await run.printed('[Epoch 1] Step 0:');
  run.process.kill('SIGTERM');
  run.process.kill('SIGTERM');
  run.process.kill('SIGINT');
  expect(await run.ended, run.output()).toBe(130);
  expect(run.output()).toContain(`--resume ${path}`);
  expect(metrics(path)).toHaveLength(lastCheckpoint(path));
});

it('ends with a checkpoint and without a word when nobody reads its output any more', async () => {
  const path = join(folder, 'unread');
  const run = start([...setting, '--out', path]);
  await run.printed('[Epoch 1] Step 0:');
  run.process.stdout?.destroy();
  expect(await run.ended, run.output()).toBe(130);
  expect(run.output()).not.toContain('EPIPE');
  expect(metrics(path)).toHaveLength(lastCheckpoint(path));
});

it.each([
  { encoder: 'resnet18', trials: 10 },
  // leaves out other rows of its blocks at every step
  { encoder: 'efficientnet-b0', trials: 1 },
])('$encoder equals an unbroken run after SIGKILL at a random step, $trials times', async ({ encoder, trials }) => {
  const whole = join(folder, encoder);
  const ofEncoder = [...setting, '--set', `encoder.name=${encoder}`];
  const unbroken = start([...ofEncoder, '--out', whole]);
  await unbroken.printed('[Epoch 1] Step 0:');
  const from = performance.now();
  await unbroken.printed('[Epoch 2] mean:');
  const seconds = (performance.now() - from) / 1000;
  expect(await unbroken.ended, unbroken.output()).toBe(0);
  const expected = metrics(whole);
  expect(expected).toHaveLength(steps);
  const weights = readFileSync(join(whole, 'model.safetensors'));

  console.log(`KILL_SEED=${seed} draws these moments again`);
  const random = seedrandom(seed);
  for (let trial = 0; trial < trials; trial++) {
    const run = join(folder, `${encoder}-${trial}`);
    const killed = start([...ofEncoder, '--out', run]);
    await killed.printed('[Epoch 1] Step 0:');
    const delay = random() * seconds;
    await Promise.race([killed.ended, new Promise((resolve) => setTimeout(resolve, 1000 * delay))]);
    killed.process.kill('SIGKILL');
    await killed.ended;

    const checkpoint = lastCheckpoint(run);
    const resumed = start(['--resume', run]);
    expect(await resumed.ended, resumed.output()).toBe(0);
    console.log(`killed ${delay.toFixed(2)} s after the first step, resumed at step ${checkpoint}`);
    expect(resumed.output()).toContain(`at step ${checkpoint} of ${steps}`);
    expect(metrics(run)).toEqual(expected);
    expect(readFileSync(join(run, 'model.safetensors')).equals(weights), 'final weights, bit for bit').toBe(true);
  }
});
