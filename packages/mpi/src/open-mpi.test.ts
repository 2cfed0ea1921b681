import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleRank, describeLaunchers, type MpiJob, mpiLaunchers, runRanks } from '@tfjs-ssl/testing/mpi-jobs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = (name: string) => new URL(`../test-support/${name}.ts`, import.meta.url);
/** A folder from which no package is found. */
const nowhere = mkdtempSync(join(tmpdir(), 'tfjs-ssl-mpi-'));
afterAll(() => rmSync(nowhere, { recursive: true, force: true }));

let collectives: string;
let failing: string;
let alone: string;
let withoutKoffi: string;
let enclosed: string;
beforeAll(async () => {
  [collectives, failing, alone, withoutKoffi, enclosed] = await Promise.all([
    bundleRank(program('rank-collectives')),
    bundleRank(program('rank-failing')),
    bundleRank(program('rank-alone')),
    bundleRank(program('rank-alone'), nowhere),
    bundleRank(program('rank-enclosed-heap')),
  ]);
});

/** The lines of what a job has printed as errors that are messages of the package. */
const messages = ({ errors }: MpiJob): string[] => [...errors.matchAll(/openMpi: .*/g)].map(([line]) => line);

/** A job that did not end well, and did not hang. */
const expectFailure = (code: number | null): void => {
  expect(code).not.toBe(0);
  expect(code).not.toBeNull();
};

describeLaunchers('A job', (launcher) => {
  it.each([1, 2, 4])('does every operation on every typed array on %i ranks', async (ranks) => {
    const { code, output, errors } = await runRanks(launcher, ranks, [collectives]);
    expect(errors).toBe('');
    expect(code).toBe(0);
    const done = [...output.matchAll(/^done (.*)$/gm)].map(([, json]) => JSON.parse(json as string));
    expect(done.map(({ rank }) => rank).sort()).toEqual([...Array(ranks).keys()]);
    for (const { size, library } of done) {
      expect(size).toBe(ranks);
      expect(library).toMatchObject({
        implementation: launcher.name,
        threadLevel: expect.stringMatching(/serialized|multiple/),
      });
      expect(library.version).toMatch(/^\d+\.\d+/);
      expect(library.standard).toMatch(/^\d\.\d$/);
    }
    expect([...output.matchAll(/^refused (.*)$/gm)].map(([, message]) => message)).toEqual(
      Array(ranks).fill(
        'mpi.barrier: asynchronous operations must have ended, got 20 under way. Await their promises first.',
      ),
    );
  });

  it.each([
    ['throws', 1, 'rank 1 of 4: Error: the disk of rank 1 is full\n    at '],
    ['rejects', 1, 'rank 1 of 4: Error: the download of rank 1 has failed\n    at '],
    ['exits', 7, 'rank 1 of 4: the program ended with code 7, and with it the job.\n'],
    ['returns', 1, 'rank 1 of 4: the program ended without mpi.finalize(). Call it as the last thing on every rank.\n'],
    ['aborts', 9, 'rank 1 of 4: rank 1 has had enough\n'],
    ['dies', 137, ''],
  ])('ends as a whole if one rank %s', async (way, expected, message) => {
    const { code, output, errors } = await runRanks(launcher, 4, [failing, way]);
    expect(output).not.toContain('came through');
    expect(errors).toContain(message);
    expect([expected, expected & 127]).toContain(code);
  });

  it.each([
    ['works', 'collectives', 0, ''],
    ['ends as a whole', 'failing', 1, 'rank 1 of 2: Error: the disk of rank 1 is full'],
  ])('%s if another Node process has started each rank, as npm does', async (_, program, expected, message) => {
    const between =
      "process.exitCode = require('child_process').spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1";
    const command = program === 'failing' ? [failing, 'throws'] : [collectives];
    const { code, errors } = await runRanks(launcher, 2, ['-e', between, ...command]);
    expect(errors).toContain(message);
    expect(code).toBe(expected);
  });

  it('keeps the heap whole if it cannot grow', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only on Linux is the heap enclosed on purpose');
    const { code, output, errors } = await runRanks(launcher, 2, [enclosed]);
    expect(errors).toBe('');
    expect(code).toBe(0);
    expect(output).toBe('heap kept\nheap kept\n');
  });

  it('says what is wrong with the library, once on every rank', async () => {
    const none = await runRanks(launcher, 2, [alone], { TFJS_SSL_MPI: 'libnone.so.1' });
    const other = await runRanks(launcher, 2, [alone], { TFJS_SSL_MPI: 'libm.so.6' });
    for (const { code } of [none, other]) expectFailure(code);
    const [missing, again, ...more] = messages(none);
    expect([again, more]).toEqual([missing, []]);
    expect(missing).toMatchInlineSnapshot(
      `"openMpi: TFJS_SSL_MPI must name a library that can be loaded, got libnone.so.1: Failed to load shared library: cannot open shared object file: No such file or directory. Install MPI (\`pip install mpich\`, or \`apt install openmpi-bin\`), or name the file of its library in TFJS_SSL_MPI."`,
    );
    const [wrong, wrongAgain, ...others] = messages(other);
    expect([wrongAgain, others]).toEqual([wrong, []]);
    expect(wrong).toMatchInlineSnapshot(
      `"openMpi: 'libm.so.6' must be an MPI library, got one without MPI_Get_library_version. Name the file of an MPI library in TFJS_SSL_MPI."`,
    );
  });

  it('says that koffi is missing, once on every rank', async () => {
    const job = await runRanks(launcher, 2, [withoutKoffi]);
    expectFailure(job.code);
    const [message, again, ...others] = messages(job);
    expect([again, others]).toEqual([message, []]);
    expect(message?.replace(launcher.name === 'Open MPI' ? '(Open MPI)' : '(PMI)', '(...)')).toMatchInlineSnapshot(
      `"openMpi: this process is part of a job (...) and needs the package koffi to call MPI, got none. Run \`npm install koffi\`."`,
    );
  });

  it('ends if one rank alone has no library', async () => {
    const job = await runRanks(launcher, 2, [alone, 'rank-1-without']);
    expectFailure(job.code);
    expect(messages(job)).toHaveLength(1);
  });

  it('says that the library is of another implementation than the launcher', async ({ skip }) => {
    skip(mpiLaunchers.length < 2, 'it needs two implementations of MPI, in the PATH and in MPIEXECS');
    const other = mpiLaunchers.find(({ name }) => name !== launcher.name) as (typeof mpiLaunchers)[number];
    const library = await runRanks(other, 1, [alone]);
    const path = /"path":"(.*?)"/.exec(library.output)?.[1] as string;
    const job = await runRanks(launcher, 2, [alone], { TFJS_SSL_MPI: path });
    expectFailure(job.code);
    // MPICH ends the process itself, with a message of its own
    const expected =
      launcher.name === 'MPICH'
        ? /has started 2 processes, but Open MPI .* sees 1\. Start them with/
        : /unsupported PMI version PMIx/;
    expect(job.errors).toMatch(expected);
  });
});

describe('Outside a job', () => {
  it('is a world of one and loads nothing', async () => {
    const { spawnSync } = await import('node:child_process');
    const { status, stdout, stderr } = spawnSync(process.execPath, [withoutKoffi], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', TFJS_SSL_MPI: 'libnone.so.1' },
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('open {"rank":0,"size":1,"library":null}\n');
    expect(status).toBe(0);
  });

  it('does every operation on every typed array', async () => {
    const { spawnSync } = await import('node:child_process');
    const { status, stdout, stderr } = spawnSync(process.execPath, [collectives], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toContain('done {"rank":0,"size":1,"library":null}');
    expect(status).toBe(0);
  });
});
