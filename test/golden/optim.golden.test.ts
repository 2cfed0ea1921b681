import * as tf from '@tensorflow/tfjs-core';
import { adam, adamW, epochCosine, lars, type Optimizer, type Schedule, sgd, warmupCosine } from '@tfjs-ssl/trainer';
import { describeGolden, type Expectation, expectGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: the golden files define the parameters
const optimizers: Record<string, (params: any) => Optimizer> = {
  adam: (p) => adam({ betas: p.betas, epsilon: p.eps, weightDecay: p.weight_decay }),
  adamw: (p) => adamW({ betas: p.betas, epsilon: p.eps, weightDecay: p.weight_decay }),
  sgd: (p) => sgd({ momentum: p.momentum, nesterov: p.nesterov, weightDecay: p.weight_decay }),
  ...Object.fromEntries(
    (['simclr', 'popular', 'torch'] as const).map((flavour) => [
      `lars_${flavour}`,
      // biome-ignore lint/suspicious/noExplicitAny: likewise
      (p: any) =>
        lars({
          flavour,
          momentum: p.momentum,
          nesterov: p.nesterov,
          weightDecay: p.weight_decay,
          trustCoefficient: p.trust_coefficient,
        }),
    ]),
  ),
};

async function trajectoryCase(golden: GoldenCase, group: GoldenGroup, optimizer: Optimizer): Promise<void> {
  const names = Object.keys(golden.inputs.init);
  const read = (name: string) => {
    const { data, shape } = group.tensor(name);
    return { data: Float32Array.from(data), shape };
  };
  const parameters = Object.fromEntries(
    names.map((name) => {
      const { data, shape } = read(golden.inputs.init[name]);
      return [name, tf.tidy(() => tf.variable(tf.tensor(data, shape)))];
    }),
  );
  const all = Object.fromEntries(names.map((name) => [name, read(golden.inputs.grads[name])]));
  const state = optimizer.createState(parameters);
  const steps = all[names[0] as string]?.shape[0] as number;
  const trajectories = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  for (let step = 0; step < steps; step++) {
    const learningRate = Array.isArray(golden.lr) ? golden.lr[step] : golden.lr;
    tf.tidy(() => {
      const gradients = Object.fromEntries(
        Object.entries(all).map(([name, { data, shape }]) => {
          const size = data.length / steps;
          return [name, tf.tensor(data.slice(step * size, (step + 1) * size), shape.slice(1))];
        }),
      );
      optimizer.update(parameters, gradients, state, tf.tensor1d(optimizer.scalars(step + 1, learningRate)));
    });
    for (const name of names) trajectories[name]?.push(...((await parameters[name]?.data()) ?? []));
  }
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    expectGolden(group, name, trajectories[name] ?? [], expectation);
  }
}

/** `lr_logged_get_lr` is what the reference writes to its log, not a rate it uses: there is nothing here to compare it with. */
function epochCosineCase(golden: GoldenCase, group: GoldenGroup): void {
  const { lr, T_max, epochs } = golden.params;
  const schedule = epochCosine({ learningRate: lr, stepsPerEpoch: 7, epochs: T_max, firstEpoch: 10 });
  const used = Array.from({ length: epochs }, (_, epoch) => schedule(7 * epoch));
  expectGolden(group, 'lr used per epoch', used, golden.expected.lr_used_per_epoch);
}

function warmupCosineCase(golden: GoldenCase, group: GoldenGroup): void {
  const { base, batch, scaling, warmup_steps, total_steps } = golden.params;
  const peak = scaling === 'linear' ? (base * batch) / 256 : base * Math.sqrt(batch);
  const schedule: Schedule = warmupCosine({ learningRate: peak, warmupSteps: warmup_steps, totalSteps: total_steps });
  const steps = Array.from(group.tensor(golden.inputs.steps).data);
  expectGolden(group, 'lr', steps.map(schedule), golden.expected.lr);
}

await describeGolden('optim', (golden) => {
  const make = optimizers[golden.formula ?? ''];
  if (make) return { run: (group) => trajectoryCase(golden, group, make(golden.params)) };
  if (golden.op === 'CosineAnnealingLR') return { run: (group) => epochCosineCase(golden, group) };
  if (golden.op === 'warmup_cosine') return { run: (group) => warmupCosineCase(golden, group) };
  return undefined;
});
