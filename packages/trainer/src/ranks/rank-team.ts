import * as tf from '@tensorflow/tfjs-core';
import { checkChoice } from '@tfjs-ssl/checks';
import { runsAhead } from '@tfjs-ssl/engine';
import { acrossRanks, type BatchStatistics, checkSameOnRanks, type RanksInStep, type World } from '@tfjs-ssl/ops';
import type { NamedTensors, NamedVariables } from '../types.ts';
import { checkSameVariables } from './same-variables.ts';
import { shareVariables } from './share-variables.ts';
import { type GradientExchange, meansOverRanks, sumOverRanks } from './sum-over-ranks.ts';

/** How a trainer works together with others; see the options of `Trainer`. */
export interface RankOptions {
  readonly world?: World;
  readonly batchStatistics?: BatchStatistics;
  readonly gradientExchange?: GradientExchange;
}

/** What a step computes before its update. */
interface StepValues {
  /** Of the loss divided by the number of ranks: their sum over the ranks is the gradient of the mean. */
  readonly gradients: NamedTensors;
  /** Loss and metrics, shape [1 + metrics]. */
  readonly values: tf.Tensor;
}

/** What a trainer does together with those of the other ranks. Every rank calls the same. */
export interface RankTeam {
  /** Ranks. */
  readonly size: number;
  /** Runs the forward and backward pass of this rank's part of the batch. */
  run<Result>(pass: () => Result): Result;
  /**
   * Joins what each rank has of its part: sums of the gradients, means of the values. Running statistics that moved by a rank's part alone become their means as well.
   *
   * @param own - of this rank's part; disposed.
   */
  join(own: StepValues): StepValues;
  /** Gives every rank the values of the first; returns its number of steps done. */
  share(variables: NamedVariables, stepsDone: number): number;
  /** @throws Error if the values differ between ranks. */
  checkSame(variables: NamedVariables): void;
  /** @throws Error if settings differ between ranks. */
  checkSettings(settings: Readonly<Record<string, unknown>>): void;
  /** Whether any rank says yes. */
  any(yes: boolean): boolean;
}

/** @returns null for a trainer that works alone. */
export function rankTeam({
  world,
  batchStatistics = 'batch',
  gradientExchange = 'float32',
}: RankOptions): RankTeam | null {
  checkChoice('Trainer', 'batchStatistics', batchStatistics, ['batch', 'rank']);
  checkChoice('Trainer', 'gradientExchange', gradientExchange, ['float32', 'bfloat16']);
  if (!world || world.size === 1) return null;
  if (runsAhead()) {
    throw new Error(
      `Trainer: a world of ${world.size} ranks needs an engine whose steps can read values, got '${tf.getBackend()}', which records them. Start 'simd'.`,
    );
  }
  const ranks: RanksInStep = { world, batchStatistics, ownStatistics: new Set() };
  const sumGradients = sumOverRanks(world, gradientExchange);
  return {
    size: world.size,
    run: (pass) => acrossRanks(ranks, pass),
    join(own) {
      const statistics = [...ranks.ownStatistics];
      const means = meansOverRanks(world, [own.values, ...statistics]);
      const gradients = sumGradients(own.gradients);
      tf.dispose([own.gradients, own.values]);
      const [values, ...others] = means as [tf.Tensor, ...tf.Tensor[]];
      for (const [i, variable] of statistics.entries()) variable.assign(others[i] as tf.Tensor);
      return { gradients, values };
    },
    share: (variables, stepsDone) => shareVariables(world, variables, stepsDone),
    checkSame: (variables) => checkSameVariables(world, variables),
    checkSettings: (settings) => checkSameOnRanks(world, 'Trainer', settings),
    any(yes) {
      const votes = Int32Array.of(yes ? 1 : 0);
      world.allReduce(votes);
      return (votes[0] as number) > 0;
    },
  };
}
