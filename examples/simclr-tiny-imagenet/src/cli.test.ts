import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testPng, zipBytes } from '../../../packages/datasets/test-support/make-files.ts';
import { call, folder, json, metrics, small, useFolder } from '../test-support/call-program.ts';

useFolder();

/** One gray pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('a run', () => {
  it('trains on a zip with a folder for each class', async () => {
    const names = ['rose', 'daisy'].flatMap((name) => Array.from({ length: 12 }, (_, i) => `flowers/${name}/${i}.png`));
    const pictures = names.map(async (name, i) => ({ name, bytes: await testPng(64, 64, i) }));
    writeFileSync(join(folder, 'flowers.zip'), zipBytes(await Promise.all(pictures)));
    const run = join(folder, 'run');
    const data = ['--data', join(folder, 'flowers.zip'), '--batch-size', '8', '--epochs', '1'];
    const { code, stdout, stderr } = await call([...data, '--out', run]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/flowers\.zip/);
    expect(metrics(run).map(({ step }) => step)).toEqual([0, 1]);
    expect(json(join(run, 'config.json')).images).toMatchObject({ train: 22, val: 2 });
    expect(json(join(run, 'summary.json')).knn.after).toBeGreaterThanOrEqual(0);
  });

  it('leaves everything in its folder and says what it did', async () => {
    const run = join(folder, 'run');
    const { code, stdout, stderr } = await call([...small, '--epochs', '2', '--out', run]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Tiny ImageNet was not found. This run uses generated images');
    expect(stdout).toMatch(/engine +\w+: /);
    expect(stdout).toContain('(heads at full width: slim 164,224, baseline 328,320)');
    expect(stdout).toContain('4 per epoch, 2 epochs, 8 in total');
    expect(stdout).toMatch(/encoder.width +16 instead of 64/);
    expect(stdout).toMatch(/^\[Epoch 1\] Step 0: Loss=\d\.\d{4}, Top1=\d+\.\d\d%, Top5=\d+\.\d\d%, LR=0\.\d{6}$/m);
    expect(stdout).toMatch(/^\[Epoch 2\] mean: Loss=/m);
    expect(stdout).toContain('npm run simclr -- --scale full');
    expect(metrics(run).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const summary = json(join(run, 'summary.json'));
    expect(Object.keys(summary)).toEqual([
      'engine',
      'device',
      'data',
      'seconds',
      'steps',
      'loss',
      'top1',
      'top5',
      'parameters',
      'knn',
    ]);
    expect(summary.parameters).toEqual({ encoder: 702_096, head: 128 * 256 + 256 + 256 * 128 + 128 });
    expect(summary).toMatchObject({ data: 'generated', steps: 8 });
    expect(readFileSync(join(run, 'loss.svg'), 'utf8')).toContain('<svg');
    expect(existsSync(join(run, 'model.safetensors'))).toBe(true);
    const report = readFileSync(join(run, 'report.html'), 'utf8');
    expect(report).toContain('Finished: step 8 of 8, 2 epochs.');
    expect(report).toContain(readFileSync(join(run, 'views.png')).toString('base64'));
    const again = await call(['--report', run]);
    expect(again).toEqual({ code: 0, stdout: `${join(run, 'report.html')}\n`, stderr: '' });
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toBe(report);
  });

  it('is evaluated while it trains and afterwards, as a file too, and trains the same', async () => {
    const [plain, run] = [join(folder, 'plain'), join(folder, 'run')];
    await call([...small, '--epochs', '2', '--out', plain]);
    const trained = await call([...small, '--epochs', '2', '--evaluate-every', '1', '--out', run]);
    expect(trained.stdout).toMatch(
      /^\[Epoch 1\] kNN \(k = 16\) top-1 \d+\.\d%, top-5 \d+\.\d%, effective rank \d+\.\d of 128, uniformity -\d\.\d\d$/m,
    );
    const model = readFileSync(join(run, 'model.safetensors'));
    expect(model.equals(readFileSync(join(plain, 'model.safetensors')))).toBe(true);

    const { code, stdout, stderr } = await call(['--evaluate', run, '--sgd-probe']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Linear probe \(lambda .*\): top-1 \d+\.\d%, top-5 100\.0%$/m);
    expect(stdout).toMatch(/^Linear probe by SGD \(90 epochs\): top-1 \d+\.\d%, top-5 100\.0%$/m);
    const summary = json(join(run, 'summary.json'));
    expect(summary).toMatchObject({ steps: 8, evaluation: { dimensions: 128, knn: [{ k: 16 }] } });
    expect(summary.evaluation.linearSgd).toMatchObject({ top5: 1, epochs: 90, batchSize: 256, learningRate: 0.1 });
    expect(summary.evaluation.knn[0].top1).toBe(summary.knn.after);
    expect(Object.keys(summary.evaluation.classAccuracies)).toHaveLength(2);
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Linear probe by SGD');
    expect(readFileSync(join(run, 'model.safetensors')).equals(model)).toBe(true);

    const sizes = ['--classes', '2', '--images-per-class', '8'];
    const file = await call(['--evaluate', join(run, 'model.safetensors'), ...sizes]);
    expect(file.code).toBe(0);
    const figures = (text: string) => text.split('\n').filter((line) => /^(kNN|Features|Linear probe \()/.test(line));
    expect(figures(file.stdout)).toEqual(figures(stdout));
  });

  it('ends well without a report where that cannot be written, and says how to make it', async () => {
    const run = join(folder, 'run');
    mkdirSync(join(run, 'report.html', 'in-the-way'), { recursive: true });
    const { code, stdout, stderr } = await call([...small, '--epochs', '1', '--out', run]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      `report.html is not up to date: cannot write ${join(run, 'report.html')}: it is a folder.`,
    );
    expect(stdout).toContain(`npm run simclr -- --report ${run}`);
    expect(json(join(run, 'summary.json'))).toMatchObject({ steps: 4 });
  });

  it('stopped by a signal goes on where it was and ends as an unbroken one', async () => {
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
    await call([...small, '--epochs', '2', '--out', whole]);
    const controller = new AbortController();
    const stopAtStep = setInterval(() => {
      if (existsSync(join(broken, 'summary.json'))) controller.abort();
    }, 1);
    const stopped = await call([...small, '--epochs', '2', '--out', broken], controller.signal);
    clearInterval(stopAtStep);
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toMatch(/Stopped after step [0-7] of 8\. Nothing is lost/);
    expect(stopped.stdout).toContain(`--resume ${broken}`);
    expect(readFileSync(join(broken, 'report.html'), 'utf8')).toMatch(/Not finished: step [0-7] of 8, 2 epochs\./);
    const resumed = await call(['--resume', broken]);
    expect(resumed).toMatchObject({ code: 0, stderr: '' });
    expect(metrics(broken)).toEqual(metrics(whole));
    expect(readFileSync(join(broken, 'report.html'), 'utf8')).toContain('Finished: step 8 of 8, 2 epochs.');
    expect(readFileSync(join(broken, 'model.safetensors')).equals(readFileSync(join(whole, 'model.safetensors')))).toBe(
      true,
    );
  });

  it('stopped before its first step can be gone on with', async () => {
    const run = join(folder, 'run');
    const controller = new AbortController();
    const watch = setInterval(() => {
      if (existsSync(join(run, 'config.json'))) controller.abort();
    }, 1);
    const { code, stdout } = await call([...small, '--epochs', '1', '--out', run], controller.signal);
    clearInterval(watch);
    expect(code).toBe(130);
    expect(stdout).toContain(`--resume ${run}`);
    expect(await call(['--resume', run])).toMatchObject({ code: 0, stderr: '' });
  });

  it('uses the checkpoint before a damaged one, and says so', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--checkpoint-every', '2', '--out', run]);
    const newest = readdirSync(join(run, 'checkpoints'))
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
      .at(-1);
    truncateSync(join(run, 'checkpoints', newest as string), 1000);
    const { code, stdout } = await call(['--resume', run]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Cannot use the checkpoint .*: .*$/m);
    expect(stdout).toContain('at step 2 of 4');
  });

  it('takes over the options of the run, and says where it goes on with something else', async () => {
    const run = join(folder, 'run');
    const tiny = [
      '--classes',
      '2',
      '--images-per-class',
      '2',
      '--batch-size',
      '2',
      '--epochs',
      '1',
      '--set',
      'imageSize=16',
    ];
    await call([...tiny, '--engine', 'cpu', '--out', run]);
    expect(json(join(run, 'config.json')).options).toEqual({ engine: 'cpu', classes: 2, imagesPerClass: 2 });
    const { code, stdout } = await call(['--resume', run, '--engine', 'simd']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/engine: "TensorFlow\.js cpu backend .*" → "engine-simd/);
  });

  it('only tries one step on --dry-run', async () => {
    const { code, stdout } = await call([...small, '--dry-run', '--out', join(folder, 'run')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Memory between steps: [\d,]+ MiB in the process, [\d,]+ MiB in \d+ tensors\.$/m);
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });

  it('trains on a folder of images of its own, and names the one that is broken', async () => {
    const images = join(folder, 'images');
    for (const name of ['a', 'b']) {
      mkdirSync(join(images, name), { recursive: true });
      for (let i = 0; i < 10; i++) writeFileSync(join(images, name, `${i}.png`), png);
    }
    const args = ['--data', images, '--batch-size', '4', '--epochs', '1', '--out', join(folder, 'run')];
    const { code, stdout, stderr } = await call(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('2 classes, 18 training images of 64x64 pixels, 2 validation images');

    writeFileSync(join(images, 'b', '7.jpg'), '');
    const broken = await call(args.with(-1, join(folder, 'broken')));
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('b/7.jpg');
    const skipped = await call([...args.with(-1, join(folder, 'skipped')), '--skip-corrupt', '--classes', '2']);
    expect(skipped.code).toBe(0);
    expect(skipped.stdout).toContain('Left out b/7.jpg');
    expect(json(join(folder, 'skipped', 'config.json'))).toMatchObject({ classes: 2, imagesPerClass: 9 });
    expect(await call(['--resume', join(folder, 'skipped')])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('wrong usage', () => {
  it.each([
    ['an unknown option', ['--bogus']],
    ['an engine that is not known', ['--engine', 'cuda']],
    ['a precision that the engine does not have', ['--precision', 'mixed']],
    ['a profile of an engine without a GPU', ['--engine', 'cpu', '--profile-step']],
    ['more images in a batch than there are', ['--classes', '2', '--images-per-class', '8', '--batch-size', '17']],
    ['more classes than can be generated', ['--classes', '257']],
    ['nothing to resume', ['--resume', 'FOLDER/none']],
    ['a folder that is no run', ['--resume', 'FOLDER']],
    ['nothing to evaluate', ['--evaluate', 'FOLDER/none']],
    ['an evaluation with what trains', ['--evaluate', 'FOLDER', '--epochs', '3', '--out', 'FOLDER/a']],
    ['a normalisation of nothing', ['--normalize']],
    ['a probe of nothing', ['--sgd-probe']],
    ['a fine-tuning of nothing', ['--fine-tune', '0.1']],
    ['a fine-tuning with more labels than there are', ['--evaluate', 'FOLDER', '--fine-tune', '0.1,10']],
    ['seeds of no fine-tuning', ['--evaluate', 'FOLDER', '--fine-tune-seeds', '2']],
    ['two folders', ['--resume', 'FOLDER/a', '--out', 'FOLDER/b']],
  ])('%s ends with exit code 2', async (_, args) => {
    writeFileSync(join(folder, 'config.json'), '{"a": 1}');
    const { code, stderr } = await call(args.map((arg) => arg.replace('FOLDER', folder)));
    expect(stderr).toMatchSnapshot();
    expect(code).toBe(2);
  });
});

describe('failures', () => {
  it('a checkpoint that cannot be written, also after Ctrl-C', async () => {
    const run = join(folder, 'run');
    const controller = new AbortController();
    const { code, stderr } = await call([...small, '--epochs', '50', '--out', run], controller.signal, (text) => {
      if (!text.startsWith('[Epoch 1] Step 0')) return;
      writeFileSync(join(run, 'checkpoints'), '');
      controller.abort();
    });
    expect(controller.signal.aborted).toBe(true);
    expect(code).toBe(1);
    expect(stderr).toContain('FOLDER/run/checkpoints');
  });

  it('a resume without a good checkpoint, which leaves the summary as it is', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--out', run]);
    const before = readFileSync(join(run, 'summary.json'), 'utf8');
    for (const name of readdirSync(join(run, 'checkpoints'))) truncateSync(join(run, 'checkpoints', name), 10);
    const { code } = await call(['--resume', run]);
    expect(code).toBe(1);
    expect(readFileSync(join(run, 'summary.json'), 'utf8')).toBe(before);
  });

  it('a data path that is not there', async () => {
    const { code, stderr } = await call(['--data', join(folder, 'nothing.zip')]);
    expect(code).toBe(1);
    expect(stderr).toMatchSnapshot();
    process.env.TINY_IMAGENET = join(folder, 'nothing.zip');
    expect((await call([])).stderr).toMatchInlineSnapshot(`
      "The environment variable TINY_IMAGENET must name a zip or folder that exists, got 'FOLDER/nothing.zip'. Correct or unset it.
      "
    `);
  });

  it('a zip that is none', async () => {
    writeFileSync(join(folder, 'bad.zip'), 'not a zip');
    const { code, stderr } = await call(['--data', join(folder, 'bad.zip')]);
    expect(code).toBe(1);
    expect(stderr).toMatchSnapshot();
  });

  it('a folder with one image of a class, without a word of an option that it does not have', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, 'few', name), { recursive: true });
      writeFileSync(join(folder, 'few', name, '1.png'), png);
    }
    const { code, stderr } = await call(['--data', join(folder, 'few')]);
    expect(code).toBe(1);
    expect(stderr).not.toMatch(/holdOut/);
    expect(stderr).toMatchSnapshot();
  });

  it('a run folder below a file, and tells the reason once', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await call([...small, '--epochs', '1', '--out', join(folder, 'file', 'run')]);
    expect(code).toBe(1);
    expect(stderr).toMatchSnapshot();
  });

  it('an output path that is a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await call([...small, '--epochs', '1', '--out', join(folder, 'file')]);
    expect(code).toBe(1);
    expect(stderr).toMatchSnapshot();
  });

  it('a folder that already holds a run, which stays as it is', async () => {
    const run = join(folder, 'run');
    await call([...small, '--epochs', '1', '--out', run]);
    const before = readFileSync(join(run, 'summary.json'), 'utf8');
    const { code, stderr } = await call([...small, '--epochs', '1', '--out', run]);
    expect(code).toBe(1);
    expect(stderr).toMatchSnapshot();
    expect(readFileSync(join(run, 'summary.json'), 'utf8')).toBe(before);
  });
});
