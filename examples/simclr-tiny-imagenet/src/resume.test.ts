import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, folder, json, metrics, small, useFolder } from '../test-support/call-program.ts';

useFolder();

const constant = ['--set', 'schedule.name=constant'];
const model = (run: string) => readFileSync(join(run, 'model.safetensors'));

describe('a resume', () => {
  it('refuses other settings, lists them, and names the way', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--out', run]);
    const { code, stderr } = await call(['--resume', run, '--seed', '7', '--set', 'temperature=0.5', '--epochs', '3']);
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "--resume FOLDER/run: a resumed run keeps its settings, got differences:
        seed: 0 → 7
        temperature: 0.1 → 0.5
        epochs: 1 → 3
      Leave them out. Its schedule, cosine, depends on the number of epochs. To start a new run from its weights, with settings of your own: npm run simclr -- --init FOLDER/run
      "
    `);
    expect((await call(['--resume', run, '--epochs', '3'])).stderr).toMatchInlineSnapshot(`
      "--resume FOLDER/run: a resumed run keeps its settings, got differences:
        epochs: 1 → 3
      Leave them out. Its schedule, cosine, depends on the number of epochs. To start a new run from its weights, with settings of your own: npm run simclr -- --init FOLDER/run
      "
    `);
    expect((await call(['--resume', run, '--set', 'temprature=0.5'])).stderr).toMatchInlineSnapshot(`
      "There is no setting 'temprature'. Did you mean temperature? Run with --help settings for the list.
      "
    `);
    expect((await call(['--resume', run, '--epochs', '1', '--set', 'temperature=0.1'])).code).toBe(0);
  });

  it('begins a run and continues it by the same command, and refuses another one', async () => {
    const [run, whole] = [join(folder, 'run'), join(folder, 'whole')];
    const command = [...small, '--epochs', '2', '--checkpoint-every', '1', '--out', run, '--continue'];
    const controller = new AbortController();
    const first = await call(command, controller.signal, (text) => {
      if (text.startsWith('[Epoch 1] mean')) controller.abort();
    });
    expect(first).toMatchObject({ code: 130, stderr: '' });
    expect(first.stdout).not.toContain('Resuming');
    const second = await call(command);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/Resuming \S+ at step 4 of 8/);
    await call([...small, '--epochs', '2', '--out', whole]);
    expect(metrics(run)).toEqual(metrics(whole));
    expect(model(run).equals(model(whole))).toBe(true);

    expect(await call(command)).toMatchObject({ code: 0, stderr: '' }); // a finished run
    expect((await call([...command, '--seed', '7'])).stderr).toContain('seed: 0 → 7');
    expect((await call([...command, '--init', whole])).stderr).toMatchInlineSnapshot(`
      "--init FOLDER/whole: the run in FOLDER/run started from random weights. Name the same, or another --out.
      "
    `);
    expect((await call(['--continue'])).stderr).toMatchInlineSnapshot(`
      "--continue goes with --out FOLDER: it resumes the run in this folder or starts it. Add --out, and leave --resume out.
      "
    `);
  });

  it('takes more epochs if the schedule does not depend on them, and ends as one of so many', async () => {
    const [run, whole] = [join(folder, 'run'), join(folder, 'whole')];
    await call([...small, ...constant, '--epochs', '1', '--out', run]);
    const longer = await call(['--resume', run, '--epochs', '3'], undefined, (text) => {
      // the figures of the shorter run are no longer those of this one
      if (text.startsWith('[Epoch 2] mean')) expect(json(join(run, 'summary.json')).knn.after).toBeUndefined();
    });
    expect(longer).toMatchObject({ code: 0, stderr: '' });
    expect(longer.stdout).toContain('at step 4 of 12');
    await call([...small, ...constant, '--epochs', '3', '--out', whole]);
    expect(metrics(run)).toEqual(metrics(whole));
    expect(model(run).equals(model(whole))).toBe(true);
    expect(json(join(run, 'config.json'))).toMatchObject({ epochs: 3 });
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Finished: step 12 of 12, 3 epochs.');
    expect(await call(['--resume', run])).toMatchObject({ code: 0, stderr: '' });
    const fewer = await call(['--resume', run, '--epochs', '2']);
    expect(fewer.code).toBe(2);
    expect(fewer.stderr).toMatchInlineSnapshot(`
      "--resume FOLDER/run: a resumed run keeps its settings, got differences:
        epochs: 3 → 2
      Leave them out. Of epochs alone there may be more. To start a new run from its weights, with settings of your own: npm run simclr -- --init FOLDER/run
      "
    `);
  });
});

/** A configuration as it was before there was `--set`. */
function earlier(config: ReturnType<typeof json>) {
  const {
    imageSeed: _,
    normalization: __,
    loss: ___,
    augmentation,
    encoder,
    head,
    optimizer,
    schedule,
    ...rest
  } = config;
  const { cropScale, solarizeProbability, jitterStrength, blurProbability } = augmentation;
  return {
    ...rest,
    augmentation: { cropScale, solarizeProbability, jitterStrength, blurProbability },
    encoder: { stem: encoder.stem, width: encoder.width },
    head: { hidden: head.hiddenSizes[0], output: head.outputSize },
    optimizer: { name: optimizer.name, weightDecay: optimizer.weightDecay },
    schedule: { ...schedule, name: 'warmup-cosine', learningRate: optimizer.learningRate },
  };
}

describe('a run from before there was --set', () => {
  it('goes on from its checkpoints as it would have, is reported and evaluated', async () => {
    const [run, whole] = [join(folder, 'run'), join(folder, 'whole')];
    await call([...small, '--epochs', '2', '--checkpoint-every', '3', '--out', whole]);
    mkdirSync(join(run, 'checkpoints'), { recursive: true });
    const config = earlier(json(join(whole, 'config.json')));
    writeFileSync(join(run, 'config.json'), JSON.stringify(config));
    for (const name of ['metrics.jsonl', 'summary.json']) copyFileSync(join(whole, name), join(run, name));
    for (const name of readdirSync(join(whole, 'checkpoints')).filter((each) => each.startsWith('step-00000003'))) {
      const path = join(run, 'checkpoints', name);
      copyFileSync(join(whole, 'checkpoints', name), path);
      if (!name.endsWith('.json')) continue;
      const { checksum: _, ...body } = { ...json(path), config };
      const checksum = createHash('sha256').update(JSON.stringify(body)).digest('hex');
      writeFileSync(path, JSON.stringify({ ...body, checksum }));
    }
    const resumed = await call(['--resume', run]);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(resumed.stdout).toContain('at step 3 of 8');
    expect(metrics(run)).toEqual(metrics(whole));
    expect(model(run).equals(model(whole))).toBe(true);
    expect(json(join(run, 'config.json'))).toEqual(config);
    expect(await call(['--report', run])).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toMatch(/head\.<wbr>hiddenSizes/);
    expect(await call(['--evaluate', run])).toMatchObject({ code: 0, stderr: '' });
    expect(await call(['--resume', run])).toMatchObject({ code: 0, stderr: '' });
    expect((await call(['--resume', run, '--set', 'head.hiddenSizes=512'])).stderr).toContain(
      'head.hiddenSizes: [256] → [512]',
    );
  });

  it('is refused in one message if its settings are damaged', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--out', run]);
    const config = json(join(run, 'config.json'));
    writeFileSync(join(run, 'config.json'), JSON.stringify({ ...config, temperature: 'warm', colour: 1 }));
    const { code, stderr } = await call(['--resume', run]);
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "--resume FOLDER/run: its config.json cannot be used.
      temperature must be a number above 0, got 'warm'.
      There is no setting 'colour'.
      Run with --help settings for the list.
      "
    `);
  });
});

describe('--init', () => {
  it('starts a new run from the encoder and head of another, which stays as it is', async () => {
    const [run, next] = [join(folder, 'run'), join(folder, 'next')];
    await call([...small, '--epochs', '1', '--out', run]);
    const before = model(run);
    const { code, stdout, stderr } = await call([...small, '--epochs', '1', '--init', run, '--out', next]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Starting from the encoder and the head of step 4 of ${run}`);
    // what was trained is the "untrained" encoder of the new run
    expect(json(join(next, 'summary.json')).knn.before).toBe(json(join(run, 'summary.json')).knn.after);
    expect(json(join(next, 'config.json')).init).toMatchObject({
      path: run,
      sha256: expect.stringMatching(/^\w{64}$/),
    });
    expect(metrics(next).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(metrics(next)[0]?.loss).not.toBe(metrics(run)[0]?.loss);
    expect(model(run).equals(before)).toBe(true);
    expect(await call(['--report', next])).toMatchObject({ code: 0 });
  });

  it('goes on with the same weights if it is stopped before its first checkpoint', async () => {
    const [run, next, broken] = [join(folder, 'run'), join(folder, 'next'), join(folder, 'broken')];
    await call([...small, '--epochs', '1', '--out', run]);
    await call([...small, '--epochs', '1', '--init', run, '--out', next]);
    mkdirSync(broken);
    copyFileSync(join(next, 'config.json'), join(broken, 'config.json'));
    expect(await call(['--resume', broken])).toMatchObject({ code: 0, stderr: '' });
    expect(metrics(broken)).toEqual(metrics(next));
    expect(existsSync(join(broken, 'checkpoints'))).toBe(true);
    rmSync(join(broken, 'checkpoints'), { recursive: true });
    const config = json(join(broken, 'config.json'));
    writeFileSync(
      join(broken, 'config.json'),
      JSON.stringify({ ...config, init: { ...config.init, sha256: '0'.repeat(64) } }),
    );
    expect((await call(['--resume', broken])).stderr).toMatchInlineSnapshot(`
      "--resume FOLDER/broken: it has no checkpoint yet, and FOLDER/run, from which it started, holds other weights now. Start a new run with --init FOLDER/run.
      "
    `);
  });

  it('takes an encoder from a file, with a new head', async () => {
    const [run, next] = [join(folder, 'run'), join(folder, 'next')];
    await call([...small, '--epochs', '1', '--out', run]);
    const file = join(run, 'model.safetensors');
    const other = [...small, '--set', 'head.hiddenSizes=64', '--epochs', '1'];
    const { code, stdout } = await call([...other, '--init', file, '--out', next]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Starting from the encoder in ${file}; the head is new`);
    expect(json(join(next, 'summary.json')).knn.before).toBe(json(join(run, 'summary.json')).knn.after);
    const fromRun = await call([...other, '--init', run, '--dry-run']);
    expect(fromRun.stdout).toContain('the head is new, as its settings differ');
  });

  it('refuses what does not fit', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--out', run]);
    const refusal = async (...args: string[]) => (await call([...small, '--dry-run', ...args])).stderr;
    expect(await refusal('--init', join(folder, 'none'))).toMatchInlineSnapshot(`
      "--init FOLDER/none: there is nothing. Name the folder of a run, or a safetensors file.
      "
    `);
    expect(await refusal('--init', run, '--set', 'encoder.width=8')).toMatchInlineSnapshot(`
      "--init FOLDER/run holds another encoder than the settings: got encoder.width 8. To take its encoder: --set encoder.width=16
      "
    `);
    const file = join(run, 'model.safetensors');
    expect(await refusal('--init', file, '--set', 'encoder.name=resnet34')).toMatchInlineSnapshot(`
      "--init FOLDER/run/model.safetensors holds another encoder than the settings: got encoder.name resnet34. To take its encoder: --set encoder.name=resnet18
      "
    `);
    mkdirSync(join(folder, 'empty'));
    expect(await refusal('--init', join(folder, 'empty'))).toMatchInlineSnapshot(`
      "--init FOLDER/empty: there is no run in this folder. Start one with --out FOLDER/empty.
      "
    `);
  });
});

describe('--compare', () => {
  it('puts runs side by side', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await call([...small, '--epochs', '2', '--out', a]);
    await call([...small, '--epochs', '1', '--preset', 'baseline', '--out', b]);
    await call(['--evaluate', b]);
    const { code, stdout } = await call(['--compare', a, b]);
    expect(code).toBe(0);
    const table = stdout.replaceAll(/\d+\.\d{4}|\d+\.\d%|\d+ s(?= |$)/gm, (figure) => 'X'.padStart(figure.length));
    expect(table).toMatchInlineSnapshot(`
      "                                       a         b
      preset                             paper  baseline
      augmentation.solarizeProbability     0.2         0
      head.hiddenSizes                     256       512
      epochs                                 2         1
      loss, epoch 1                          X         X
      loss, epoch 2                          X         …
      kNN, untrained                         X         X
      kNN, trained                           X         X
      linear probe                           …         X
      time                                   X         X
      "
    `);
    const mean = metrics(b).reduce((sum, { loss }) => sum + (loss as number), 0) / 4;
    expect(stdout).toContain(mean.toFixed(4));
    expect((await call(['--compare', a])).stderr).toMatchInlineSnapshot(`
      "--compare takes at least two runs, got FOLDER/a. Name more run folders.
      "
    `);
    expect((await call(['--compare', a, join(folder, 'none')])).stderr).toMatchInlineSnapshot(`
      "--compare FOLDER/none: there is no run in this folder. Start one with --out FOLDER/none.
      "
    `);
  });
});

describe('a normalisation', () => {
  it('is that of the views and of the images that are evaluated, and the picture shows true colours', async () => {
    const [plain, run] = [join(folder, 'plain'), join(folder, 'run')];
    await call([...small, '--epochs', '1', '--out', plain]);
    await call([...small, '--epochs', '1', '--set', 'normalization=half', '--out', run]);
    expect(readFileSync(join(run, 'views.png')).equals(readFileSync(join(plain, 'views.png')))).toBe(true);
    expect(metrics(run)[0]?.loss).not.toBe(metrics(plain)[0]?.loss);
    await call(['--evaluate', run]);
    const { knn, evaluation } = json(join(run, 'summary.json'));
    expect(evaluation.knn[0].top1).toBe(knn.after);
  });
});
