import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import {
  batchSize,
  collect,
  messageOf,
  temporaryFolder,
  tinyBatches,
  tinyFit,
  tinyInputs,
  tinyTrainer,
} from '../../test-support/tiny-run.ts';
import { RunFolder } from '../index.ts';

const config = { seed: 1, head: { hidden: 256, output: 128 }, learningRate: 0.02 };

async function newFolder(): Promise<{ folder: string; path: string }> {
  const folder = await temporaryFolder();
  return { folder, path: join(folder, 'run') };
}

/** A run of two epochs of three steps with a checkpoint every two steps: 2, 4, 6. */
async function trained(): Promise<{ folder: string; path: string; checkpoint: (step: number) => string }> {
  const { folder, path } = await newFolder();
  const run = await RunFolder.create(path, config);
  await collect(tinyTrainer().fit({ ...tinyFit, epochs: 2, run, checkpointEvery: 2 }));
  return { folder, path, checkpoint: (step) => join(path, 'checkpoints', `step-0000000${step}`) };
}

const stepsIn = async (path: string): Promise<number[]> =>
  (await readFile(join(path, 'metrics.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).step);

describe('RunFolder', () => {
  it('keeps the configuration', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    expect(JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))).toEqual(config);
    expect(run.config).toEqual(config);
    expect(run.modelPath).toBe(join(path, 'model.safetensors'));
    expect((await RunFolder.resume(path, config)).config).toEqual(config);
  });

  it('refuses to start where a run is', async () => {
    const { folder, path } = await newFolder();
    await RunFolder.create(path, config);
    expect(await messageOf(RunFolder.create(path, config), folder)).toMatchInlineSnapshot(
      `"RunFolder: path must name a folder without a run, got <folder>/run with config.json. Resume that run, or choose another folder."`,
    );
    await RunFolder.resume(path, config);
  });

  it('starts in a folder that holds other things', async () => {
    const { path } = await newFolder();
    await RunFolder.create(join(path, 'inner'), config);
    await RunFolder.create(path, config);
  });

  it('refuses a path that is a file, or lies below one', async () => {
    const { folder, path } = await newFolder();
    await writeFile(path, 'mine');
    expect(await messageOf(RunFolder.create(path, config), folder)).toMatchInlineSnapshot(
      `"cannot make the run folder <folder>/run: it is a file. Choose another folder. (EEXIST)"`,
    );
    expect(await messageOf(RunFolder.create(join(path, 'a'), config), folder)).toMatchInlineSnapshot(
      `"cannot make the run folder <folder>/run/a: a part of the path is a file. Choose another folder. (ENOTDIR)"`,
    );
    expect(await messageOf(RunFolder.resume(path, config), folder)).toMatchInlineSnapshot(
      `"cannot read <folder>/run/config.json: a part of the path is a file. Choose another folder. (ENOTDIR)"`,
    );
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it('refuses to resume where no run is, or its configuration is damaged', async () => {
    const { folder, path } = await newFolder();
    expect(await messageOf(RunFolder.resume(path, config), folder)).toMatchInlineSnapshot(
      `"RunFolder: path must name the folder of a run, got <folder>/run without config.json. Start a new run, or correct the path."`,
    );
    await RunFolder.create(path, config);
    await truncate(join(path, 'config.json'), 20);
    expect(await messageOf(RunFolder.resume(path, config), folder)).toMatch(
      /^RunFolder: <folder>\/run\/config.json must be JSON \(/,
    );
    await writeFile(join(path, 'config.json'), 'null');
    expect(await messageOf(RunFolder.resume(path, config), folder)).toMatchInlineSnapshot(
      `"RunFolder: <folder>/run/config.json must be a JSON object, got null. Restore the file, or start a new run in another folder."`,
    );
  });

  it('refuses to resume with another configuration, and lists the differences', async () => {
    const { folder, path } = await newFolder();
    await RunFolder.create(path, config);
    const other = { seed: 1, head: { hidden: 512, output: 128 }, classes: ['a'] };
    expect(await messageOf(RunFolder.resume(path, other), folder)).toMatchInlineSnapshot(`
      "RunFolder: config must be the configuration that the run in <folder>/run was started with, got differences:
        head.hidden: 256 → 512
        learningRate: 0.02 → not set
        classes: not set → ["a"]
      Use the same settings, or start a new run in another folder."
    `);
    await RunFolder.resume(path, other, { mayDiffer: ['head', 'learningRate', 'classes'] });
    await expect(RunFolder.resume(path, other, { mayDiffer: ['hea', 'learningRate', 'classes'] })).rejects.toThrow(
      'head.hidden',
    );
  });

  it('goes on with more epochs, which the configuration then says', async () => {
    const { path } = await trained();
    const longer = { ...config, epochs: 3 };
    await expect(RunFolder.resume(path, longer)).rejects.toThrow('epochs: not set → 3');
    const replace = { replace: ['epochs'] };
    const run = await RunFolder.resume(path, longer, replace);
    expect(run.config).toEqual(longer);
    expect(JSON.parse(await readFile(join(path, 'config.json'), 'utf8'))).toEqual(longer);
    const trainer = tinyTrainer();
    expect(await run.restore(trainer)).toMatchObject({ step: 6, rejected: [] });
    await collect(trainer.fit({ ...tinyFit, epochs: 3, run, checkpointEvery: 2 }));
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    await rm(join(path, 'checkpoints', 'step-00000009.json')); // its tensors count for nothing now
    const again = await RunFolder.resume(path, { ...config, epochs: 4 }, replace);
    expect(await again.restore(tinyTrainer())).toMatchObject({ step: 8 });
    await expect(RunFolder.resume(path, { ...config, seed: 2, epochs: 4 }, replace)).rejects.toThrow('seed: 1 → 2');
  });

  it('is opened to look at while it is trained, and refuses a second training', async () => {
    const { folder, path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const begin = (of: RunFolder) => of.begin({ stepsDone: 0, cursor: { epoch: 0, step: 0 } });
    const second = await RunFolder.resume(path, config);
    await begin(run);
    expect((await RunFolder.open(path)).config).toEqual(config);
    const refused = [() => RunFolder.resume(path, config), () => begin(second), () => second.restore({ restore() {} })];
    for (const attempt of refused) {
      expect(
        (await messageOf(attempt(), folder))
          .replace(/process \d+/, 'process PID')
          .replace(/host \S+, since \S+Z/, 'host HOST, since TIME'),
      ).toMatchInlineSnapshot(
        `"RunFolder: the run in <folder>/run must have one writer at a time, got a second one beside process PID (this process) on host HOST, since TIME. Wait until it ends, or stop it."`,
      );
    }
    await run.end();
    await begin(second);
    await second.end();
    expect(await readdir(path)).toEqual(['config.json']);
  });

  it('does not go on where another has trained since', async () => {
    const { folder, path } = await newFolder();
    const first = await RunFolder.create(path, config);
    const second = await RunFolder.resume(path, config);
    await collect(tinyTrainer().fit({ ...tinyFit, epochs: 1, run: first }));
    const position = { stepsDone: 0, cursor: { epoch: 0, step: 0 } };
    expect(await messageOf(second.begin(position), folder)).toMatchInlineSnapshot(
      `"RunFolder: the run in <folder>/run must be as this object left it, got metrics that another process or object wrote since. Open it again with \`RunFolder.resume\`, and restore a new trainer."`,
    );
    expect(await second.restore(tinyTrainer())).toMatchObject({ step: 3 });
    expect(second.records).toHaveLength(3);
  });

  it('stops where its lock was taken: what another writes stays whole', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const steps = collect(
      tinyTrainer().fit({
        ...tinyFit,
        epochs: 1,
        run,
        checkpointEvery: 1,
        on: { step: () => rm(join(path, 'run.lock'), { force: true }) },
      }),
    );
    await expect(steps).rejects.toThrow('must stay with the process that writes it');
    expect(await readdir(path)).toEqual(['config.json']);
  });

  it('starts beside the event files of other programs', async () => {
    const { path } = await newFolder();
    await mkdir(path);
    await writeFile(join(path, 'events.out.tfevents.1700000000.alpha'), 'mine');
    await RunFolder.create(path, config);
  });

  it('takes another name where its own is taken, if asked to', async () => {
    const { path } = await newFolder();
    const paths = await Promise.all([1, 2, 3].map(() => RunFolder.create(path, config, { numbered: true })));
    expect(paths.map((run) => run.path).sort()).toEqual([path, `${path}-2`, `${path}-3`]);
  });

  it('writes the summary', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    await run.saveSummary({ steps: 3 });
    expect(JSON.parse(await readFile(join(path, 'summary.json'), 'utf8'))).toEqual({ steps: 3 });
  });
});

describeEngines('A run in its folder', () => {
  it('leaves the files of the run, and nothing temporary', async () => {
    const { path } = await trained();
    expect((await readdir(path)).sort()).toEqual([
      'checkpoints',
      'config.json',
      expect.stringMatching(/^events\.out\.tfevents\./),
      'metrics.jsonl',
    ]);
    expect((await readdir(join(path, 'checkpoints'))).sort()).toEqual(
      [2, 4, 6].flatMap((step) => [`step-0000000${step}.json`, `step-0000000${step}.safetensors`]),
    );
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('announces its checkpoints, one at the end', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const events = await collect(tinyTrainer().fit({ ...tinyFit, epochs: 2, run, checkpointEvery: 4 }));
    const saved = events.flatMap((event) => (event.type === 'checkpoint' ? [event.stepsDone] : []));
    expect(saved).toEqual([4, 6]);
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      checkpoint: join(path, 'checkpoints', 'step-00000006.safetensors'),
    });
  });

  it('has the metrics on disk before the checkpoint that counts on them', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const on = {
      checkpoint: async ({ stepsDone }: { stepsDone: number }) => expect(await stepsIn(path)).toHaveLength(stepsDone),
    };
    await collect(tinyTrainer().fit({ ...tinyFit, epochs: 1, run, checkpointEvery: 2, on }));
    expect.assertions(2);
  });

  it('saves a checkpoint when its signal stops it', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const stop = new AbortController();
    const trainer = tinyTrainer();
    const events = await collect(
      trainer.fit({ ...tinyFit, epochs: 2, run, signal: stop.signal, on: { epoch: () => stop.abort() } }),
    );
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['checkpoint', 'interrupted']);
    const again = tinyTrainer();
    expect((await (await RunFolder.resume(path, config)).restore(again)).step).toBe(3);
    expect(await again.snapshot()).toEqual(await trainer.snapshot());
  });

  it('keeps the metrics of a run whose consumer leaves', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    for await (const event of tinyTrainer().fit({ ...tinyFit, epochs: 2, run })) {
      if (event.type === 'step' && event.step === 1) break;
    }
    expect(await stepsIn(path)).toEqual([0, 1]);
  });

  it('says which checkpoints were refused, and goes on from the one before', async () => {
    const { path, checkpoint } = await trained();
    await truncate(`${checkpoint(6)}.safetensors`, 99);
    const run = await RunFolder.resume(path, config);
    const trainer = tinyTrainer();
    const { step, path: used, rejected } = await run.restore(trainer);
    expect([step, used, trainer.stepsDone]).toEqual([4, `${checkpoint(4)}.safetensors`, 4]);
    expect(rejected.map(({ reason }) => reason)).toEqual([expect.stringMatching(/^it has 99 bytes instead of \d+$/)]);
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3]);
    await collect(trainer.fit({ ...tinyFit, epochs: 2, run }));
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('refuses the checkpoints of another model, and of another run', async () => {
    const { path } = await trained();
    const run = await RunFolder.resume(path, config);
    await expect(
      run.restore({
        restore: () => {
          throw new RangeError('it does not fit');
        },
      }),
    ).rejects.toThrow('it does not fit');
    await writeFile(join(path, 'config.json'), JSON.stringify({ ...config, seed: 2 }));
    const other = await RunFolder.resume(path, { ...config, seed: 2 });
    await expect(other.restore(tinyTrainer())).rejects.toThrow(
      'it belongs to a run with another configuration: seed: 2 → 1',
    );
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('starts from the beginning where no checkpoint was completed', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    for await (const event of tinyTrainer().fit({ ...tinyFit, epochs: 1, run })) if (event.type === 'step') break;
    const again = await RunFolder.resume(path, config);
    expect(await again.restore(tinyTrainer())).toEqual({ step: 0, path: null, rejected: [] });
    expect(await readFile(join(path, 'metrics.jsonl'), 'utf8')).toBe('');
  });

  it('goes on without metrics that were moved away', async () => {
    const { path } = await trained();
    await rename(join(path, 'metrics.jsonl'), join(path, 'old.jsonl'));
    const run = await RunFolder.resume(path, config);
    const trainer = tinyTrainer();
    await run.restore(trainer);
    await collect(trainer.fit({ ...tinyFit, epochs: 3, run }));
    expect(await stepsIn(path)).toEqual([6, 7, 8]);
  });

  it('refuses to go on where it does not stand', async () => {
    const { folder, path } = await trained();
    const run = await RunFolder.resume(path, config);
    const fit = (trainer: ReturnType<typeof tinyTrainer>, options = {}): Promise<string> =>
      messageOf(collect(trainer.fit({ ...tinyFit, epochs: 3, run, ...options })), folder);
    expect(await fit(tinyTrainer())).toMatchInlineSnapshot(
      `"RunFolder: trainer must stand at step 6, where the run in <folder>/run stands, got step 0. Call \`await run.restore(trainer)\` first."`,
    );
    const trainer = tinyTrainer();
    await run.restore(trainer);
    expect(await fit(trainer, { stepsPerEpoch: 4 })).toMatchInlineSnapshot(
      `"RunFolder: cursor must be step 0 of epoch 2 at step 6, as before, got step 2 of epoch 1. The number of steps per epoch has changed: use the same images and batch size."`,
    );
  });

  it('loses nothing to a loss that is not finite', async () => {
    const { path } = await newFolder();
    const run = await RunFolder.create(path, config);
    const inputs = (batch: number): { x: tf.Tensor; y: tf.Tensor } => {
      const all = tinyInputs(batch);
      if (batch < 100) return all;
      all.x.dispose();
      return { ...all, x: tf.fill([batchSize, 2], Number.NaN) };
    };
    const fit = tinyTrainer().fit({ ...tinyFit, epochs: 2, run, batches: (cursor) => tinyBatches(cursor), inputs });
    await expect(collect(fit)).rejects.toThrow('the loss of step 3 is NaN');
    expect(await stepsIn(path)).toEqual([0, 1, 2]);
    const again = await RunFolder.resume(path, config);
    expect((await again.restore(tinyTrainer())).step).toBe(3);
  });
});
