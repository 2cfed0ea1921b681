import { join } from 'node:path';
import { describeLaunchers } from '@tfjs-ssl/testing/mpi-jobs';
import seedrandom from 'seedrandom';
import { expect, it } from 'vitest';
import { ended, folder, killRank, metrics, pause, small, start, startByNpm, weights } from './program.ts';

/** `KILLS=10 npm run test:ranks` kills ten times, every second time a job that npm has started. */
const kills = Number(process.env.KILLS ?? 1);
/** Draws which rank is killed and when; `KILL_SEED` repeats the draws of an earlier test. */
const seed = process.env.KILL_SEED ?? `${Date.now()}`;

const epochs = 15;

describeLaunchers('A job of which a rank is killed', (launcher) => {
  it(`is gone within five seconds and ends as an unbroken one after a resume, ${kills} times`, async ({ skip }) => {
    skip(process.platform !== 'linux', 'it looks for processes in /proc');
    const setting = [...small, '--epochs', `${epochs}`, '--threads', '1', '--checkpoint-every', '3'];
    const path = (name: string) => join(folder, `${launcher.name}-${name}`.replace(' ', ''));
    const whole = path('unbroken');
    const unbroken = start(launcher, 2, [...setting, '--out', whole]);
    await unbroken.printed('kNN of the untrained encoder');
    const from = performance.now();
    await unbroken.printed(`[Epoch ${epochs}] mean`);
    const milliseconds = performance.now() - from;
    await ended(unbroken);

    console.log(`KILL_SEED=${seed} draws these ranks and moments again`);
    const random = seedrandom(seed);
    for (let trial = 0; trial < kills; trial++) {
      const run = path(`killed-${trial}`);
      const begin = trial % 2 === 0 ? start : startByNpm;
      const job = begin(launcher, 2, [...setting, '--out', run]);
      // by its epochs: a job may be much faster than the unbroken one, or slower
      await job.printed(`[Epoch ${1 + Math.floor((epochs / 2) * random())}] mean`);
      await pause((random() * milliseconds) / epochs);
      const gone = await killRank(run, Math.floor(2 * random()));
      expect((await job.ended).code).not.toBe(0);

      const printed = await ended(start(launcher, 2, ['--resume', run]));
      const step = /at step (\d+) of/.exec(printed)?.[1];
      console.log(`${launcher.name}: all gone ${gone.toFixed(0)} ms after the kill, resumed at step ${step}`);
      expect(metrics(run)).toEqual(metrics(whole));
      expect(weights(run) === weights(whole), 'final weights, bit for bit').toBe(true);
    }
  });
});
