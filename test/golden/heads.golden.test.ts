import * as tf from '@tensorflow/tfjs-core';
import { featureDeviation } from '@tfjs-ssl/evaluation';
import { loadWeights, namedWeights } from '@tfjs-ssl/layers';
import { emaUpdate } from '@tfjs-ssl/ops';
import * as heads from '@tfjs-ssl/projection-heads';
import { describeGolden, type Expectation, expectGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

type Model = ReturnType<typeof heads.mlpHead>;

const makers: Readonly<Record<string, (options: object) => Model>> = {
  byolHead: heads.byolHead,
  byolPredictor: heads.byolPredictor,
  simsiamHead: heads.simsiamHead,
  simsiamPredictor: heads.simsiamPredictor,
  mocoHead: heads.mocoHead,
  barlowTwinsHead: heads.barlowTwinsHead,
  vicRegHead: heads.vicRegHead,
  swavHead: heads.swavHead,
  swavPrototypes: heads.swavPrototypes,
  dinoHead: heads.dinoHead,
};

const read = (golden: GoldenGroup, name: string): tf.Tensor => {
  const { data, shape } = golden.tensor(name);
  return tf.tensor(Float32Array.from(data), shape, 'float32');
};

/** Values of a variable in PyTorch's layout. */
const inTorch = (name: string, tensor: tf.Tensor): Promise<Float32Array> =>
  (name.endsWith('.weight') && tensor.rank === 2 ? tf.transpose(tensor) : tensor).data<'float32'>();

async function testHead({ params, inputs, expected }: GoldenCase, golden: GoldenGroup): Promise<void> {
  const make = makers[params.function];
  if (!make) throw new Error(`there is no head ${params.function}`);
  const head = make(params.options);
  const tensors = Object.fromEntries(
    Object.entries<string>(inputs.state).map(([name, tensor]) => {
      const { shape, data } = golden.tensor(tensor);
      return [name, { dtype: 'F32' as const, shape, data: Float32Array.from(data) }];
    }),
  );
  await loadWeights(head, { tensors, metadata: {} });
  const [x, w] = [read(golden, inputs.x), read(golden, inputs.w)];
  const outputs: tf.Tensor[] = [];
  const loss = (given: tf.Tensor) => {
    const y = head.apply(given, { training: true });
    outputs.push(tf.keep(tf.clone(y)));
    return tf.sum(tf.mul(y, w)) as tf.Scalar;
  };
  const { parameters, buffers } = namedWeights(head);
  // running statistics move with every pass: only the first one counts, so both gradients come of one
  const start = tf.variable(x);
  const { grads } = tf.variableGrads(() => loss(start), [start, ...Object.values(parameters)]);
  const expectAt = async (what: string, got: Promise<ArrayLike<number>>) =>
    expectGolden(golden, what, await got, expected[what] as Expectation);
  await expectAt('y', (outputs[0] as tf.Tensor).data());
  await expectAt('dx', (grads[start.name] as tf.Tensor).data());
  for (const [name, variable] of Object.entries(parameters)) {
    await expectAt(`d/${name}`, inTorch(name, grads[variable.name] as tf.Tensor));
  }
  for (const [name, variable] of Object.entries(buffers)) {
    if (name.includes('running')) await expectAt(`after/${name}`, variable.data());
  }
  await expectAt('evaluated', head.predict(x).data());
  const known = [...Object.keys(parameters).map((name) => `d/${name}`), 'y', 'dx', 'evaluated'];
  const unseen = Object.keys(expected).filter((key) => !known.includes(key) && !key.startsWith('after/'));
  if (unseen.length > 0) throw new Error(`the head lacks ${unseen.join(', ')}`);
}

async function testAverage({ params, inputs, expected }: GoldenCase, golden: GoldenGroup): Promise<void> {
  const averages = (inputs.start as string[]).map((name) => tf.variable(read(golden, name)));
  for (const [step, momentum] of (params.momenta as number[]).entries()) {
    const values = (inputs.values[step] as string[]).map((name) => read(golden, name));
    emaUpdate(averages, values, tf.scalar(1 - momentum));
    for (const [i, average] of averages.entries()) {
      expectGolden(golden, `step ${step}, tensor ${i}`, await average.data(), expected.after[step][i]);
    }
  }
}

await describeGolden('heads', (golden) => {
  const { inputs, expected } = golden;
  if (golden.op === 'head') return { run: (group) => testHead(golden, group) };
  if (golden.op === 'ema') return { run: (group) => testAverage(golden, group) };
  if (golden.op === 'deviation') {
    return {
      run: async (group) => {
        const deviation = featureDeviation(read(group, inputs.z) as tf.Tensor2D);
        expectGolden(group, 'deviation', await deviation.data(), expected.deviation);
      },
    };
  }
  if (golden.op === 'unit_prototypes') {
    return {
      run: async (group) => {
        const { shape, data } = group.tensor(inputs.weight);
        const prototypes = heads.swavPrototypes({ inputSize: shape[1] as number, prototypes: shape[0] as number });
        const weight = { dtype: 'F32' as const, shape, data: Float32Array.from(data) };
        await loadWeights(prototypes, { tensors: { 'prototypes.weight': weight }, metadata: {} });
        heads.unitPrototypes(prototypes).update();
        const variable = namedWeights(prototypes).parameters['prototypes.weight'] as tf.Variable;
        expectGolden(group, 'weight', await inTorch('prototypes.weight', variable), expected.weight);
      },
    };
  }
  return undefined;
});
