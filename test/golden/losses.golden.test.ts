import * as tf from '@tensorflow/tfjs-core';
import {
  barlowTwins,
  contrastiveAccuracy,
  contrastiveLogits,
  dcl,
  infoNCE,
  negativeCosine,
  ntXentWithRanks,
  supCon,
  vicReg,
} from '@tfjs-ssl/losses';
import { numberOf } from '@tfjs-ssl/testing';
import { expect } from 'vitest';
import {
  describeGolden,
  type Expectation,
  expectGolden,
  type GoldenCase,
  type GoldenGroup,
  type GoldenTensor,
} from './harness.ts';

/** A row's logits in the files' order: the positive first, then the negatives in ascending order. */
function positiveFirst(logits: Float32Array, rows: number): Float32Array {
  const ordered = new Float32Array(rows * (rows - 1));
  for (let i = 0; i < rows; i++) {
    const partner = (i + rows / 2) % rows;
    const columns = [partner, ...Array.from({ length: rows }, (_, j) => j).filter((j) => j !== i && j !== partner)];
    columns.forEach((j, place) => {
      ordered[i * (rows - 1) + place] = logits[i * rows + j] as number;
    });
  }
  return ordered;
}

/** What an advisory comparison says: it is reported, not demanded. */
function comparison(compare: () => void): string {
  try {
    compare();
    return 'agrees with PyTorch (advisory)';
  } catch (error) {
    return `differs from PyTorch (advisory): ${(error as Error).message}`;
  }
}

async function ntXentCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { data, shape } = group.tensor(golden.inputs.z);
  const temperature = golden.params.tau;
  const z = tf.tensor2d(Float32Array.from(data), shape as [number, number]);
  const result = ntXentWithRanks(z, { temperature });
  const gradient = tf.grad((x: tf.Tensor) => ntXentWithRanks(x as tf.Tensor2D, { temperature }).loss)(z);
  const loss = (await result.loss.data())[0] as number;
  const dz = await gradient.data();
  const matrix = contrastiveLogits(z, { temperature });
  const logits = positiveFirst((await matrix.data()) as Float32Array, shape[0] as number);
  const top = async (k: number) => 100 * (await numberOf(() => contrastiveAccuracy(result.ranks, k)));
  const got: Record<string, number | ArrayLike<number>> = { loss, logits, dz };
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    const k = /^top(\d+)$/.exec(name)?.[1];
    const values = k ? await top(Number(k)) : got[name];
    if (values === undefined) expect.fail(`no test knows the expected '${name}'`);
    if (golden.note?.startsWith('advisory')) {
      const numbers = typeof values === 'number' ? [values] : Array.from(values);
      expect(numbers.every(Number.isFinite), `${name} is finite`).toBe(true);
      console.log(
        `golden losses: ${golden.id}, ${name}: ${comparison(() => expectGolden(group, name, values, expectation))}`,
      );
    } else {
      expectGolden(group, name, values, expectation);
    }
  }
  tf.dispose([z, gradient, matrix, result.loss, result.ranks]);
}

/** Of the inputs, the parameters and the name of what is expected: the loss itself, or one that the file tells beside it. */
type Loss = (inputs: Record<string, tf.Tensor2D>, params: GoldenCase['params'], name: string) => tf.Scalar;

/** Losses of the files by the names of their formulas. */
const losses: Readonly<Record<string, Loss>> = {
  byol: ({ p1, p2, z1, z2 }) =>
    tf.add(4, tf.mul(2, tf.add(negativeCosine(p1!, z2!), negativeCosine(p2!, z1!)))) as tf.Scalar,
  simsiam: ({ p1, p2, z1, z2 }) => tf.mul(0.5, tf.add(negativeCosine(p1!, z2!), negativeCosine(p2!, z1!))) as tf.Scalar,
  clip: ({ a, b }, { tau }) => infoNCE(a!, b!, { temperature: tau, symmetric: true }),
  moco: ({ q, k, queue }, { tau }) => infoNCE(q!, k!, { temperature: tau, negatives: queue!, inBatch: false }),
  barlow_twins: ({ z1, z2 }, { lambda }) => barlowTwins(tf.concat([z1!, z2!]), { lambda }),
  vicreg: ({ x, y }, { weights: [lambda, mu, nu] }) => vicReg(tf.concat([x!, y!]), { lambda, mu, nu }),
  // The paper's eq. 6 neither divides the invariance term by D nor halves the variance term.
  vicreg_paper: ({ x, y }, { weights: [lambda, mu, nu], D }) =>
    vicReg(tf.concat([x!, y!]), { lambda: D * lambda, mu: 2 * mu, nu }),
  dcl: ({ z }, { tau, sigma }) => dcl(z!, { temperature: tau, ...(sigma && { sigma }) }),
  supcon: ({ z, labels }, { tau }, name) =>
    supCon(z!, labels! as unknown as tf.Tensor1D, {
      temperature: tau,
      countLonely: name === 'loss_mean_over_all_rows',
    }),
  clip_queue: ({ a, b, queue_a, queue_b }, { tau }) =>
    infoNCE(a!, b!, { temperature: tau, symmetric: true, negatives: queue_b!, candidateNegatives: queue_a! }),
};

/** An array of integers as int32, any other as float32. */
function tensorOf({ data, shape }: GoldenTensor): tf.Tensor {
  const whole = data instanceof Int32Array;
  return tf.tensor(whole ? data : Float32Array.from(data), shape, whole ? 'int32' : 'float32');
}

/** The loss, what the file names `loss_` beside it, and its gradient for every input `x` of which the file expects one, as `dx`. */
async function lossCase(golden: GoldenCase, group: GoldenGroup, loss: Loss): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs as Record<string, string>).map(([name, tensor]) => [
      name,
      tensorOf(group.tensor(tensor)) as tf.Tensor2D,
    ]),
  );
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    const by = name.startsWith('loss') ? null : name.slice(1);
    if (by && !inputs[by]) expect.fail(`no test knows the expected '${name}'`);
    const got = tf.tidy(() =>
      by
        ? tf.grad((x) => loss({ ...inputs, [by]: x as tf.Tensor2D }, golden.params, 'loss'))(inputs[by]!)
        : loss(inputs, golden.params, name),
    );
    const values = await got.data();
    expectGolden(group, name, by ? values : (values[0] as number), expectation);
    got.dispose();
  }
  tf.dispose(inputs);
}

await describeGolden('losses', (golden) => {
  if (golden.formula === 'ntxent') return { run: (group) => ntXentCase(golden, group) };
  const loss = losses[golden.formula ?? ''];
  if (loss) return { run: (group) => lossCase(golden, group, loss) };
  return { later: `the loss '${golden.formula}' is not implemented yet` };
});
