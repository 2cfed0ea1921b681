// One rank of a training with two branches, or with more than gradients in a step. The first rank writes what it saw to a file.
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { registerEngine, startEngine } from '@tfjs-ssl/engine';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import { branchInputs, branchTrainers } from '../../packages/all/test-support/branch-trainers.ts';
import { type ThreadSeat, threadWorld } from './thread-world.ts';

/** What to train. */
export interface BranchTask {
  readonly method: keyof typeof branchTrainers;
  readonly steps: number;
  readonly out: string;
}

/** What the first rank saw. */
export interface BranchOutcome {
  readonly losses: number[];
  /** Every variable of the state after the last step: weights, the average's, the queue or the center, the optimizer's. */
  readonly variables: Record<string, number[]>;
}

const seat: ThreadSeat & { readonly task: BranchTask } = workerData;
const { task } = seat;
const world = threadWorld(seat);
registerEngine(simdEngine);
await startEngine('simd', { threads: 1 });

const trainer = branchTrainers[task.method](world);
const losses: number[] = [];
for (let i = 0; i < task.steps; i++) {
  const inputs = branchInputs(i, world);
  losses.push((await trainer.step(inputs)).loss);
  tf.dispose(inputs);
}
await trainer.checkStep();
const { tensors } = await trainer.snapshot();
const variables = Object.entries(tensors).map(([name, { data }]) => [name, Array.from(data as Float32Array)]);
const outcome: BranchOutcome = { losses, variables: Object.fromEntries(variables) };
if (world.rank === 0) writeFileSync(task.out, JSON.stringify(outcome));
