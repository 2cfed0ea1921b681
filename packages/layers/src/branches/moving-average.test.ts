import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  batchNorm,
  copyOf,
  encodeWeights,
  linear,
  movingAverage,
  namedWeights,
  readWeights,
  typedModel,
} from '../index.ts';

const head = (units = 2) => {
  const input = tfl.input({ shape: [3] });
  const hidden = batchNorm({ name: '1' }).apply(linear({ units: 4, name: '0' }).apply(input));
  return typedModel(tfl.model({ inputs: input, outputs: linear({ units, name: '2' }).apply(hidden) }), 2);
};

/** Sets all weights and statistics of a model. */
const fill = (model: tfl.LayersModel, value: number) => {
  const { parameters, buffers } = namedWeights(model);
  for (const variable of Object.values({ ...parameters, ...buffers })) variable.assign(tf.fill(variable.shape, value));
};

const step = (average: { scalars(step: number): number[]; update(share: tf.Tensor): void }, i: number) =>
  tf.tidy(() => average.update(tf.tensor1d(average.scalars(i))));

describeEngines('movingAverage', () => {
  it('starts as a copy that does not train, and follows by its momentum', async () => {
    const online = head();
    const target = movingAverage({ online }, { momentum: 0.75 });
    const tensors = async (of: tfl.LayersModel) => ({ ...(await readWeights(await encodeWeights(of))).tensors });
    expect(await tensors(target.models.online)).toEqual(await tensors(online));
    expect(namedWeights(target.models).parameters).toEqual({});
    expect(Object.keys(target.variables)).toEqual([
      ...['online.0.weight', 'online.0.bias', 'online.1.weight', 'online.1.bias'],
      ...['online.1.running_mean', 'online.1.running_var', 'online.2.weight', 'online.2.bias'],
    ]);
    fill(target.models.online, 4);
    fill(online, 8);
    step(target, 0);
    await expectClose(target.variables['online.0.weight'] as tf.Tensor, new Array(12).fill(5), {});
    step(target, 1);
    await expectClose(target.variables['online.2.bias'] as tf.Tensor, [5.75, 5.75], {});
    await expectClose(namedWeights(online).parameters['2.bias'] as tf.Tensor, [8, 8], {});
  });

  it('takes the momentum of the step from a function', () => {
    const target = movingAverage({ online: head() }, { momentum: (i) => 1 - 0.5 ** (i + 1) });
    expect([target.scalars(0), target.scalars(3)]).toEqual([[0.5], [0.0625]]);
  });

  it('leaves running statistics alone, or averages them', async () => {
    for (const runningStatistics of ['own', 'averaged'] as const) {
      const online = head();
      const target = movingAverage({ online }, { momentum: 0.5, runningStatistics });
      fill(target.models.online, 0);
      fill(online, 2);
      step(target, 0);
      const expected = runningStatistics === 'own' ? 0 : 1;
      await expectClose(target.variables['online.1.running_mean'] as tf.Tensor, new Array(4).fill(expected), {});
      await expectClose(target.variables['online.1.running_var'] as tf.Tensor, new Array(4).fill(expected), {});
      await expectClose(target.variables['online.1.weight'] as tf.Tensor, [1, 1, 1, 1], {});
      const before = await (target.variables['online.1.running_mean'] as tf.Tensor).data();
      target.models.online.apply(tf.ones([2, 3]), { training: true }); // they change by its own passes in both cases
      expect(await (target.variables['online.1.running_mean'] as tf.Tensor).data()).not.toEqual(before);
    }
  });

  it('moves models that are given', async () => {
    const [online, given] = [head(), head()];
    fill(online, 1);
    fill(given, 3);
    const target = movingAverage({ online }, { momentum: 0.5, into: { online: given } });
    expect(target.models.online).toBe(given);
    step(target, 0);
    await expectClose(namedWeights(given).buffers['2.bias'] as tf.Tensor, [2, 2], {});
  });

  it('gives back all memory', async () => {
    const online = head();
    movingAverage({ online }, { momentum: 0.5 }).dispose();
    await expectNoLeak(() => {
      const target = movingAverage({ online }, { momentum: 0.5 });
      step(target, 0);
      target.dispose();
    });
  });

  it('refuses what it cannot average', () => {
    const online = head();
    const make = (momentum: unknown, more = {}) => movingAverage({ online }, { momentum: momentum as number, ...more });
    expect(() => make(1.5)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: momentum must be a finite number in [0, 1], got 1.5. It is the weight of the old values: usually 0.99 to 1.]`,
    );
    expect(() => make(undefined)).toThrow(/momentum must be/);
    expect(() => make((i: number) => i - 4).scalars(2)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: the momentum of step 2 must be a finite number in [0, 1], got -2. It is the weight of the old values: usually 0.99 to 1.]`,
    );
    expect(() => make(0.5, { runningStatistics: 'both' })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: runningStatistics must be 'own' or 'averaged', got 'both'. Choose one of these.]`,
    );
    expect(() => make(0.5, { into: { online: head(5) } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: into must have the weights of models, by name and shape, got differences: online.2.weight is [4,5] and not [4,2]; online.2.bias is [5] and not [2]. Make both with the same options, or leave it out for a copy.]`,
    );
    const other = typedModel(
      tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [3], units: 2, name: 'fc' })] }),
      2,
    );
    expect(() => make(0.5, { into: { online: other } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: into must have the weights of models, by name and shape, got differences: it lacks online.1.weight; it lacks online.1.bias; it lacks online.0.weight and 7 more. Make both with the same options, or leave it out for a copy.]`,
    );
    expect(() => make(0.5, { into: { online } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: movingAverage: into must have variables of its own, got those of models: online.1.weight, online.1.bias, online.0.weight and 5 more. Pass other models with the same options, or leave it out for a copy.]`,
    );
    expect(Object.keys(namedWeights(online).parameters)).toHaveLength(6); // it still trains
    expect(() => movingAverage(online as never, { momentum: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: movingAverage: models must be models by name, got an object (LayersModel). Pass { encoder }.]`,
    );
    expect(() => movingAverage({ online: 3 } as never, { momentum: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: movingAverage: models.online must be a LayersModel, got Number. Pass models by name: { encoder, head }.]`,
    );
    expect(() => movingAverage({}, { momentum: 0.5 })).toThrow(/movingAverage: models must be/);
    copyOf(online).dispose();
  });
});
