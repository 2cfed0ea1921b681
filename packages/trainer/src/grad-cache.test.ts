import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrain, ntXentWithRanks } from '@tfjs-ssl/ops';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { messageOf, numbers } from '../test-support/tiny-run.ts';
import { itTrainsResumedAndRecordedAlike } from '../test-support/train-alike.ts';
import { type Chunk, constantSchedule, gradCache, type NamedVariables, sgd, Trainer } from './index.ts';

const [images, inputs, hidden, outputs] = [16, 6, 8, 4];
const views = (key = 0): tf.Tensor2D => tf.tensor2d(numbers(2 * images * inputs, key), [2 * images, inputs]);
const variable = (shape: number[], key: number): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(numbers(tf.util.sizeFromShape(shape), key), shape)));

/** A network of two layers, with batch norm between them or without; always the same at its start. */
function network(batchNorm: boolean) {
  const [first, second] = [variable([inputs, hidden], 1), variable([hidden, outputs], 2)];
  const [gamma, beta] = [variable([hidden], 3), variable([hidden], 4)];
  const buffers = { mean: variable([hidden], 5), variance: variable([hidden], 6) };
  const embed = (x: tf.Tensor): tf.Tensor2D => {
    const y = tf.matMul(x as tf.Tensor2D, first as tf.Tensor2D);
    const options = { relu: true, running: { ...buffers, momentum: 0.1 } };
    const z = batchNorm ? batchNormTrain(y, gamma as tf.Tensor1D, beta as tf.Tensor1D, options).output : tf.relu(y);
    return tf.matMul(z as tf.Tensor2D, second as tf.Tensor2D);
  };
  const parameters: NamedVariables = batchNorm ? { first, second, gamma, beta } : { first, second };
  return { parameters, buffers, embed };
}

const contrast = (z: tf.Tensor2D): tf.Scalar => ntXentWithRanks(z, { temperature: 0.2 }).loss;

/** Loss and gradients by name. */
async function gradientsOf(parameters: NamedVariables, loss: () => tf.Scalar) {
  const { value, grads } = tf.variableGrads(loss, Object.values(parameters));
  const entries = Object.entries(parameters).map(async ([name, { name: id }]) => {
    const gradient = grads[id] as tf.Tensor;
    return [name, Array.from(await gradient.data())] as const;
  });
  const gradients = Object.fromEntries(await Promise.all(entries));
  const loss0 = (await value.data())[0] as number;
  tf.dispose([value, grads]);
  return { loss: loss0, gradients };
}

/** The images of a chunk with both their views. */
function chunksOfImages(x: tf.Tensor2D, count: number): tf.Tensor2D[] {
  const byView = tf.split(x, 2);
  const parts = byView.map((view) => tf.split(view, count));
  return Array.from({ length: count }, (_, i) => tf.concat(parts.map((part) => part[i] as tf.Tensor2D)));
}

async function expectAlike(
  got: Awaited<ReturnType<typeof gradientsOf>>,
  expected: Awaited<ReturnType<typeof gradientsOf>>,
): Promise<void> {
  expect(Math.abs(got.loss - expected.loss)).toBeLessThanOrEqual(1e-5);
  expect(Object.keys(got.gradients)).toEqual(Object.keys(expected.gradients));
  for (const [name, values] of Object.entries(expected.gradients)) {
    expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(1e-3);
    await expectClose(got.gradients[name] as number[], values, { atol: 1e-5, rtol: 1e-5 });
  }
}

describeEngines('gradCache', () => {
  it.each([1, 2, 8])('equals the whole batch without batch norm: %i chunks', async (count) => {
    const { parameters, embed } = network(false);
    const x = views();
    const whole = await gradientsOf(parameters, () => contrast(embed(x)));
    const rows = await gradientsOf(parameters, () =>
      contrast(gradCache(tf.split(x, count), { parameters, views: 1 }, embed)),
    );
    await expectAlike(rows, whole);
    const byImages = await gradientsOf(parameters, () => {
      const chunks = chunksOfImages(x, count).map((part) => ({ part }));
      return contrast(gradCache(chunks, { parameters, views: 2 }, ({ part }) => embed(part)));
    });
    await expectAlike(byImages, whole);
    x.dispose();
  });

  it('gives batch norm the statistics of a chunk, and moves the running ones once per chunk', async () => {
    const x = views();
    const runs = await Promise.all(
      [false, true].map(async (cached) => {
        const { parameters, buffers, embed } = network(true);
        const given = await gradientsOf(parameters, () => {
          const parts = tf.split(x, 4);
          return contrast(
            cached
              ? gradCache(parts, { parameters, buffers, views: 1 }, embed)
              : tf.concat(parts.map((part) => embed(part))),
          );
        });
        const statistics = [await buffers.mean.data(), await buffers.variance.data()].map((values) => [...values]);
        return { given, statistics };
      }),
    );
    const [plain, cached] = runs as [(typeof runs)[0], (typeof runs)[0]];
    await expectAlike(cached.given, plain.given);
    expect(cached.statistics).toEqual(plain.statistics);
    const { parameters, embed } = network(true);
    const whole = await gradientsOf(parameters, () => contrast(embed(x)));
    expect(Math.abs(whole.loss - cached.given.loss)).toBeGreaterThan(1e-3);
    x.dispose();
  });

  it('adds to the gradients that a variable has elsewhere in the loss, and in another cache', async () => {
    const { parameters, embed } = network(false);
    const scale = variable([outputs], 9);
    const x = views();
    const loss = (make: (x: tf.Tensor2D) => tf.Tensor2D) => () => {
      const z = tf.add<tf.Tensor2D>(make(x), make(tf.reverse(x, 1)));
      return tf.add<tf.Scalar>(contrast(tf.mul(z, scale)), tf.mean(tf.square(parameters.second as tf.Tensor)));
    };
    const all = { ...parameters, scale };
    const whole = await gradientsOf(all, loss(embed));
    const cached = await gradientsOf(
      all,
      loss((of) => gradCache(tf.split(of, 4), { parameters, views: 1 }, embed)),
    );
    await expectAlike(cached, whole);
    x.dispose();
  });

  it('embeds without a gradient, too, and leaves no tensors behind', async () => {
    const { parameters, buffers, embed } = network(true);
    const x = views();
    const options = { parameters, buffers, views: 1 };
    await expectNoLeak(async () => {
      const z = tf.tidy(() => gradCache(tf.split(x, 4), options, embed));
      expect(z.shape).toEqual([2 * images, outputs]);
      z.dispose();
      await gradientsOf(parameters, () => contrast(gradCache(tf.split(x, 4), options, embed)));
    });
    x.dispose();
  });

  itTrainsResumedAndRecordedAlike(
    'trains with clipping, resumed and recorded alike bit for bit',
    (precision) => {
      const { parameters, buffers, embed } = network(true);
      return new Trainer({
        parameters,
        buffers,
        inputs: { x: { shape: [2 * images, inputs] } },
        loss: ({ x }) => contrast(gradCache(tf.split(x, 4), { parameters, buffers, views: 1 }, embed)),
        optimizer: sgd({ momentum: 0.9 }),
        schedule: constantSchedule({ learningRate: 0.1 }),
        clipNorm: 0.5,
        precision,
      });
    },
    (step) => ({ x: views(step) }),
  );

  it('leaves nothing behind where embed fails in the second pass', async () => {
    const { parameters, embed } = network(false);
    const x = views();
    let calls = 0;
    const failing = (part: tf.Tensor) => {
      if (++calls === 6) throw new Error('no more');
      return embed(part);
    };
    const trainer = new Trainer({
      parameters,
      inputs: { x: { shape: x.shape } },
      loss: (given) => contrast(gradCache(tf.split(given.x, 4), { parameters, views: 1 }, failing)),
      optimizer: sgd(),
      schedule: constantSchedule({ learningRate: 0.1 }),
    });
    await expectNoLeak(async () => {
      expect(await messageOf(trainer.step({ x }))).toBe('no more');
    });
    trainer.dispose();
    x.dispose();
  });

  it('says what is wrong', async () => {
    const { parameters, embed } = network(false);
    const x = views();
    const parts = tf.split(x, 4);
    const options = { parameters, views: 1 };
    const of = (
      chunks: readonly Chunk[] = parts,
      changed: object = {},
      by: (chunk: Chunk) => tf.Tensor2D = embed as never,
    ): Promise<string> =>
      messageOf(
        (async () => gradientsOf(parameters, () => contrast(gradCache(chunks, { ...options, ...changed }, by))))(),
      );
    expect(await of([])).toMatchInlineSnapshot(
      `"gradCache: chunks must be a list of chunks, at least one, got []. Pass feed.chunks(inputs, 8), or tf.split(x, 8)."`,
    );
    expect(await of([x, [1, 2]] as never)).toMatchInlineSnapshot(
      `"gradCache: chunks[1] must be a tensor, or tensors by name, got [1, 2]. Pass feed.chunks(inputs, 8), or tf.split(x, 8)."`,
    );
    expect(await of(parts, { views: 0 })).toMatchInlineSnapshot(
      `"gradCache: views must be an integer of at least 1, got 0. It is 2 if every chunk has two views of its images."`,
    );
    expect(await of(parts, { views: 3 })).toMatchInlineSnapshot(
      `"gradCache: embed must return float32 of shape [rows, D], a multiple of 3 rows (one per view of each image), got float32 of shape [8,4]. Return the projections of all views of the chunk."`,
    );
    expect(await of(parts, { parameters: {} })).toMatchInlineSnapshot(
      `"gradCache: parameters must hold at least one variable, got none. Pass those of namedWeights({ encoder, head })."`,
    );
    expect(await of(parts, { buffers: { mean: x } })).toMatchInlineSnapshot(
      `"gradCache: buffers['mean'] must be a tf.Variable, got an object (Tensor). Pass those of namedWeights({ encoder, head })."`,
    );
    expect(await of(parts, {}, () => 3 as never)).toMatchInlineSnapshot(
      `"gradCache: embed must return float32 of shape [rows, D], a multiple of 1 rows (one per view of each image), got 3. Return the projections of all views of the chunk."`,
    );
    expect(await of(parts, {}, () => tf.zeros([3]) as never)).toMatchInlineSnapshot(
      `"gradCache: embed must return float32 of shape [rows, D], a multiple of 1 rows (one per view of each image), got float32 of shape [3]. Return the projections of all views of the chunk."`,
    );
    expect(await of(tf.split(x, [8, 24]))).toMatchInlineSnapshot(
      `"gradCache: embed must return the same shape for every chunk, [8,4] as for the first, got [24, 4]. Divide the batch into chunks of equal size."`,
    );
    const { first, second } = parameters as Record<'first' | 'second', tf.Variable>;
    const unused = variable([2], 7);
    expect(await of(parts, { parameters: { first, second, unused } })).toMatchInlineSnapshot(
      `"gradCache: parameters must be used by embed, got no gradient for unused. Leave out what only the loss uses."`,
    );
    expect((await of(parts, { parameters: { first } })).replaceAll(second.name, '<second>')).toMatchInlineSnapshot(
      `"gradCache: parameters must hold every trainable variable that embed uses, got none of <second>. Add them, or freeze them: \`layer.trainable = false\`."`,
    );
  });
});
