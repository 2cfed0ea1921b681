import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import * as efficientnet from '@tfjs-ssl/efficientnet';
import { startEngine } from '@tfjs-ssl/engine';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { disposeVariables, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { type DigestExpectation, expectDigests } from './digest.ts';
import { fillModel, fillUnit } from './fill.ts';
import {
  describeGolden,
  type Expectation,
  expectGolden,
  type GoldenCase,
  type GoldenGroup,
  readGroup,
} from './harness.ts';
import { torchShape, torchValues } from './network.ts';

type Named = Record<string, ArrayLike<number>>;

const architectures = {
  efficientnet_b0: efficientnet.efficientnetB0,
  efficientnet_b1: efficientnet.efficientnetB1,
  efficientnet_b2: efficientnet.efficientnetB2,
  efficientnet_b3: efficientnet.efficientnetB3,
  efficientnet_b4: efficientnet.efficientnetB4,
} as const;

/** The group's formula `pictures`. */
function pictures(id: string, count: number, side: number): tf.Tensor4D {
  const blocks = Math.ceil(side / 8);
  const fine = fillUnit('pixels', id, count * side * side * 3);
  const coarse = fillUnit('blocks', id, count * blocks * blocks * 3);
  const block = (position: number) => Math.floor(position / 8);
  const values = fine.map((value, i) => {
    const [channel, pixel] = [i % 3, Math.floor(i / 3)];
    const [x, y, n] = [pixel % side, Math.floor(pixel / side) % side, Math.floor(pixel / side / side)];
    return 0.5 + 0.25 * value + 0.25 * (coarse[((n * blocks + block(y)) * blocks + block(x)) * 3 + channel] as number);
  });
  return tf.tensor4d(values, [count, side, side, 3]);
}

/** Each row's distance from the expected one, over the norm of that. */
function expectRows(group: GoldenGroup, what: string, got: ArrayLike<number>, { tensor, norm_rtol }: RowExpectation) {
  const { data, shape } = group.tensor(tensor as string);
  const width = shape[1] as number;
  const norm = (values: number[]) => Math.hypot(...values);
  for (let row = 0; row < (shape[0] as number); row++) {
    const wanted = Array.from(data.subarray(row * width, (row + 1) * width));
    const distance = norm(wanted.map((value, i) => value - (got[row * width + i] as number)));
    expect(distance / norm(wanted), `${what}: distance of row ${row}, relative to its norm`).toBeLessThan(norm_rtol);
  }
}
type RowExpectation = Expectation & { readonly norm_rtol: number };

async function networkCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { arch, width, stem, batch, side, salt, bn_variant, parameters: count } = golden.params;
  const withTable = golden.inputs.stochastic_depth !== undefined;
  const options = { width, stem, ...(!withTable && { stochasticDepth: 0 }) };
  const model = architectures[arch as keyof typeof architectures](options);
  await fillModel(model, salt, bn_variant);
  const { parameters, buffers } = efficientnet.namedWeights(model);
  expect(Object.values(parameters).reduce((sum, { size }) => sum + size, 0)).toBe(count);

  const images = pictures(golden.id, batch, side);
  const table = withTable ? group.tensor(golden.inputs.stochastic_depth) : undefined;
  const callOptions = {
    training: true,
    ...(table && { stochasticDepth: tf.tensor2d(Float32Array.from(table.data), table.shape as [number, number]) }),
  };
  const got: { features: Record<string, ArrayLike<number>>; gradients: Named } = { features: {}, gradients: {} };
  await expectNoLeak(async () => {
    const tensors = tf.tidy(() => {
      const evaluated = model.predict(images);
      const cotangent = tf.tensor2d(fillUnit('cotangent', golden.id, evaluated.size), evaluated.shape);
      let trained: tf.Tensor2D | undefined;
      const { grads } = tf.variableGrads(() => {
        trained = tf.keep(model.apply(images, callOptions));
        return tf.sum(tf.mul(trained, cotangent));
      }, Object.values(parameters));
      return { evaluated, trained: trained as tf.Tensor2D | undefined, grads };
    });
    got.features = {
      eval_features: await tensors.evaluated.data(),
      train_features: await (tensors.trained as tf.Tensor2D).data(),
    };
    for (const [name, variable] of Object.entries(parameters)) {
      got.gradients[name] = await torchValues(tensors.grads[variable.name] as tf.Tensor);
    }
    tf.dispose(tensors);
  });
  tf.dispose([images, callOptions]);

  const { expected } = golden;
  for (const [name, values] of Object.entries(got.features)) {
    expectRows(group, name, values, expected[name]);
    expectGolden(group, name, values, expected[name]);
  }
  const statistics: Named = {};
  for (const [name, buffer] of Object.entries(buffers)) statistics[name] = await buffer.data();
  const digests = expected as Record<string, DigestExpectation>;
  expectDigests(group, 'parameter_gradients', got.gradients, digests.parameter_gradients as DigestExpectation);
  expectDigests(group, 'running_statistics', statistics, digests.running_statistics as DigestExpectation);
}

await describeGolden('efficientnet', (golden) =>
  golden.op === 'network' ? { run: (group) => networkCase(golden, group) } : undefined,
);

const group = readGroup('efficientnet');
if (group) {
  describe('golden efficientnet: state dicts', () => {
    it.each(Object.entries(architectures))('%s', async (name, architecture) => {
      await startEngine('cpu');
      const expected = group.doc.state_dicts[name];
      const model = architecture();
      const { parameters, buffers } = efficientnet.namedWeights(model);
      // The order of PyTorch's state dict: every module's parameters, then its buffers.
      const list: Array<[string, number[]]> = [];
      for (const [key, variable] of Object.entries(parameters)) {
        list.push([key, torchShape(variable)]);
        const statistics = ['running_mean', 'running_var'].map((leaf) => key.replace(/bias$/, leaf));
        if (!key.endsWith('.bias') || !((statistics[0] as string) in buffers)) continue;
        for (const statistic of statistics) list.push([statistic, torchShape(buffers[statistic] as tf.Variable)]);
        list.push([key.replace(/bias$/, 'num_batches_tracked'), []]);
      }
      const features = expected.feature_dim;
      const whole = [...list, ['classifier.1.weight', [1000, features]], ['classifier.1.bias', [1000]]];
      if (expected.state_dict) expect(whole).toEqual(expected.state_dict);
      expect(whole.length).toBe(expected.entries);
      expect(createHash('sha256').update(JSON.stringify(whole)).digest('hex')).toBe(expected.sha256);

      const count = Object.values(parameters).reduce((sum, { size }) => sum + size, 0);
      expect(count).toBe(expected.parameters_without_classifier);
      expect(model.outputs[0]?.shape).toEqual([null, features]);
      const { tensors } = decodeSafetensors(await efficientnet.encodeWeights(model));
      const onFile = Object.entries(tensors).map(([key, { shape }]) => [key, [...shape]]);
      expect(onFile.sort()).toEqual([...list].sort());
      disposeVariables();
    });
  });
}
