import * as tf from '@tensorflow/tfjs-core';
import {
  barlowTwins,
  dcl,
  dino,
  dinoCenter,
  infoNCE,
  negativeCosine,
  ntXent,
  sinkhorn,
  supCon,
  swav,
  vicReg,
} from '@tfjs-ssl/losses';
import { expect } from 'vitest';
import {
  type Expectation,
  expectGolden,
  type GoldenCase,
  type GoldenGroup,
  type GoldenTensor,
  type Treatment,
} from './harness.ts';

type Compute = (inputs: Record<string, tf.Tensor2D>, params: GoldenCase['params']) => tf.Tensor;

/** What a formula of the files is: a loss, and whatever else the files tell by name. */
interface Formula {
  readonly loss?: Compute;
  readonly others?: Readonly<Record<string, Compute>>;
}

/** Assignments of the first views, each by itself. */
const assignments = (
  scores: tf.Tensor2D,
  { views, assigned, epsilon, iterations }: GoldenCase['params'],
): tf.Tensor2D =>
  tf.concat(
    tf
      .split<tf.Tensor2D>(scores, views)
      .slice(0, assigned)
      .map((view) => sinkhorn(view, { epsilon, iterations })),
  );

const supConOf =
  (countLonely: boolean): Compute =>
  ({ z, labels }, { tau }) =>
    supCon(z!, labels as unknown as tf.Tensor1D, { temperature: tau, countLonely });

const formulas: Readonly<Record<string, Formula>> = {
  byol: {
    loss: ({ p1, p2, z1, z2 }) => tf.add(4, tf.mul(2, tf.add(negativeCosine(p1!, z2!), negativeCosine(p2!, z1!)))),
  },
  simsiam: {
    loss: ({ p1, p2, z1, z2 }) => tf.mul(0.5, tf.add(negativeCosine(p1!, z2!), negativeCosine(p2!, z1!))),
  },
  clip: { loss: ({ a, b }, { tau }) => infoNCE(a!, b!, { temperature: tau, symmetric: true }) },
  moco: {
    loss: ({ q, k, queue }, { tau }) => infoNCE(q!, k!, { temperature: tau, negatives: queue!, inBatch: false }),
  },
  clip_queue: {
    loss: ({ a, b, queue_a, queue_b }, { tau }) =>
      infoNCE(a!, b!, { temperature: tau, symmetric: true, negatives: queue_b!, candidateNegatives: queue_a! }),
  },
  ntxent: { loss: ({ z }, { tau }) => ntXent(z!, { temperature: tau }) },
  dcl: { loss: ({ z }, { tau, sigma }) => dcl(z!, { temperature: tau, ...(sigma && { sigma }) }) },
  supcon: { loss: supConOf(false), others: { loss_mean_over_all_rows: supConOf(true) } },
  barlow_twins: { loss: ({ z1, z2 }, { lambda }) => barlowTwins(tf.concat([z1!, z2!]), { lambda }) },
  vicreg: { loss: ({ x, y }, { weights: [lambda, mu, nu] }) => vicReg(tf.concat([x!, y!]), { lambda, mu, nu }) },
  // The paper's eq. 6 neither divides the invariance term by D nor halves the variance term.
  vicreg_paper: {
    loss: ({ x, y }, { weights: [lambda, mu, nu], D }) =>
      vicReg(tf.concat([x!, y!]), { lambda: D * lambda, mu: 2 * mu, nu }),
  },
  sinkhorn: { others: { codes: ({ scores }, params) => sinkhorn(scores!, params) } },
  swav: {
    loss: ({ scores }, params) =>
      swav(scores!, assignments(scores!, params), { temperature: params.tau, views: params.views }),
  },
  dino: {
    loss: ({ student, teacher, center }, { student_tau, teacher_tau, views }) =>
      dino(student!, teacher!, {
        center: center as unknown as tf.Tensor1D,
        studentTemperature: student_tau,
        teacherTemperature: teacher_tau,
        views,
      }),
    others: { next_center: ({ center, teacher }) => dinoCenter(center as unknown as tf.Tensor1D, teacher!) },
  },
};

/** How a case of a loss is treated, by its formula. */
export function treatLoss(golden: GoldenCase): Treatment | undefined {
  const formula = formulas[golden.formula ?? ''];
  return formula && { run: (group) => lossCase(golden, group, formula) };
}

/** An array of integers as int32, any other as float32. */
function tensorOf({ data, shape }: GoldenTensor): tf.Tensor {
  const whole = data instanceof Int32Array;
  return tf.tensor(whole ? data : Float32Array.from(data), shape, whole ? 'int32' : 'float32');
}

/** The loss, its gradient for every input `x` of which the file expects one, as `dx`, and what else there is. */
async function lossCase(golden: GoldenCase, group: GoldenGroup, { loss, others }: Formula): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs as Record<string, string>).map(([name, tensor]) => [
      name,
      tensorOf(group.tensor(tensor)) as tf.Tensor2D,
    ]),
  );
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    const compute = name === 'loss' ? loss : others?.[name];
    const by = inputs[name.slice(1)];
    if (!compute && !(loss && by)) expect.fail(`no test knows the expected '${name}'`);
    const got = tf.tidy(() =>
      compute
        ? compute(inputs, golden.params)
        : tf.grad((x) => loss!({ ...inputs, [name.slice(1)]: x as tf.Tensor2D }, golden.params))(by!),
    );
    expectGolden(group, name, await got.data(), expectation);
    got.dispose();
  }
  tf.dispose(inputs);
}
