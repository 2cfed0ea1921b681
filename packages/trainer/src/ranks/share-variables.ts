import * as tf from '@tensorflow/tfjs-core';
import type { World } from '@tfjs-ssl/ops';
import type { NamedVariables } from '../types.ts';

/**
 * Gives the variables of every rank the values of the first rank's.
 *
 * @param variables - the same names and shapes on all ranks.
 * @param stepsDone - of this rank.
 * @returns the steps that the first rank has done.
 */
export async function shareVariables(world: World, variables: NamedVariables, stepsDone: number): Promise<number> {
  const steps = Float64Array.of(stepsDone);
  world.broadcast(steps, 0);
  for (const variable of Object.values(variables)) {
    const values = (await variable.data<'float32' | 'int32'>()).slice();
    world.broadcast(values, 0);
    if (world.rank === 0) continue;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, variable.dtype)));
  }
  return steps[0] as number;
}
