import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { RunFolder } from '@tfjs-ssl/trainer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Task } from './racer.ts';
import { bundleRacer, canBeHosts, inProcess, inThread, onHost, type Racer } from './racers.ts';
import { rounds } from './rounds.ts';
import { served } from './served.ts';

let racer: Awaited<ReturnType<typeof bundleRacer>>;
beforeAll(async () => {
  racer = await bundleRacer();
});
afterAll(() => racer.remove());

const kinds = [
  ['processes', inProcess, true],
  ['threads', inThread, true],
  ['hosts', onHost, canBeHosts],
] as const;

/** Each takes seconds: the second downloader is refused, and both try again. */
const downloads = Math.min(rounds, 5);

for (const [kind, start, possible] of kinds) {
  describe(`Two ${kind} at once`, () => {
    let folder: string;
    let racers: Racer[] = [];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-race-'));
      if (possible) racers = await Promise.all([start(racer.path), start(racer.path)]);
    });
    beforeEach(({ skip }) => skip(!possible, 'this system gives no process a network and a host name of its own'));
    afterAll(async () => {
      await Promise.all(racers.map((one) => one.kill()));
      await rm(folder, { recursive: true, force: true });
    });

    /** Both do the same at the same moment. */
    const race = (act: Task['act'], path: string): Promise<Answer[]> => {
      const task = { act, path, at: Date.now() + 10 };
      return Promise.all(racers.map((one) => one.ask(task)));
    };
    const places = (name: string) => Array.from({ length: rounds }, (_, round) => join(folder, name, `${round}`));
    const errors = (answers: readonly Answer[]) => answers.flatMap(({ message }) => message ?? []);

    it(`make one cache, ${rounds} times`, async () => {
      for (const place of places('cache')) {
        const answers = await race('cache', join(place, 'train.images'));
        expect(answers).toEqual(Array(2).fill({ value: 'true', message: null }));
        expect(await readdir(place)).toEqual(['train.images']);
      }
    });

    it(`download one file over broken connections, ${downloads} times`, async () => {
      for (const place of places('download').slice(0, downloads)) {
        const messages: string[] = [];
        for (let open = true, tries = 0; open; tries++) {
          expect(tries, messages.join('\n')).toBeLessThan(4);
          const failed = errors(await race('download', place));
          messages.push(...failed);
          open = failed.length > 0;
        }
        expect(messages.filter((message) => /: the connection to \S+ broke \(/.test(message))).toHaveLength(1);
        expect(
          messages.filter((message) => !/: the connection to| must have one writer at a time/.test(message)),
        ).toEqual([]);
        expect(served).toEqual(new Uint8Array(await readFile(join(place, 'served.zip'))));
        expect(await readdir(place)).toEqual(['served.zip']);
      }
    });

    it(`start a run in the default folder, ${rounds} times`, async () => {
      for (const place of places('default')) {
        const answers = await race('create', join(place, 'run'));
        expect(errors(answers)).toEqual([]);
        expect(answers.map(({ value }) => value).sort()).toEqual([join(place, 'run'), join(place, 'run-2')]);
        expect(await readdir(join(place, 'run-2'))).toEqual(['config.json']);
      }
    });

    it(`go on with one run, ${rounds} times: one does, one is refused`, async () => {
      const path = join(folder, 'resumed');
      await RunFolder.create(path, { seed: 1 });
      for (let round = 0; round < rounds; round++) {
        const answers = await race('resume', path);
        const messages = errors(answers);
        expect(messages).toHaveLength(1);
        expect(messages[0]).toMatch(
          /^RunFolder: the run in \S+ must have one writer at a time, got a second one beside process \d+ .*on host \S+, since \d{4}-\S+Z\. Wait until it ends, or stop it\./,
        );
        const winner = racers[answers.findIndex(({ message }) => message === null)] as Racer;
        expect(await winner.ask({ act: 'end', path, at: 0 })).toEqual({ value: `${round + 1}`, message: null });
      }
      expect((await RunFolder.open(path)).records.map(({ step }) => step)).toEqual([...Array(rounds).keys()]);
      expect((await readdir(path)).filter((name) => /lock|tmp/.test(name))).toEqual([]);
    });

    it(`write one file, ${rounds} times`, async () => {
      for (const place of places('file')) {
        await RunFolder.create(place, { seed: 1 });
        const answers = await race('saveFile', place);
        expect(errors(answers)).toEqual([]);
        const written = answers.map(({ value }) => value?.repeat(20_000));
        expect(written).toContain(await readFile(join(place, 'note.txt'), 'utf8'));
        expect((await readdir(place)).sort()).toEqual(['config.json', 'note.txt']);
      }
    });

    it(`save weights to one path, ${rounds} times`, async () => {
      for (const place of places('weights')) {
        await mkdir(place, { recursive: true });
        expect(errors(await race('saveWeights', join(place, 'w')))).toEqual([]);
        expect(Object.keys(decodeSafetensors(await readFile(join(place, 'w'))).tensors)).toHaveLength(2);
        expect(await readdir(place)).toEqual(['w']);
      }
    });
  });
}

describe('The lock of a killed process', () => {
  it(`is free at once on its host, ${rounds} times`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-race-'));
    const path = join(folder, 'run');
    await RunFolder.create(path, { seed: 1 });
    for (let round = 0; round < rounds; round++) {
      const killed = await inProcess(racer.path);
      expect(await killed.ask({ act: 'resume', path, at: 0 })).toMatchObject({ message: null });
      await expect(RunFolder.resume(path, { seed: 1 })).rejects.toThrow('must have one writer at a time');
      await killed.kill();
      expect(await readdir(path)).toContain('run.lock');
      const from = performance.now();
      const run = await RunFolder.resume(path, { seed: 1 });
      await run.begin({ stepsDone: 0, cursor: { epoch: 0, step: 0 } });
      expect(performance.now() - from).toBeLessThan(3000);
      await run.end();
    }
    await rm(folder, { recursive: true, force: true });
  });
});
