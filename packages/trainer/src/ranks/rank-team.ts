import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkChoice } from '@tfjs-ssl/checks';
import { runsAhead } from '@tfjs-ssl/engine';
import { acrossRanks, type BatchStatistics, checkSameOnRanks, type RanksInStep, type World } from '@tfjs-ssl/ops';
import type { NamedTensors, NamedVariables } from '../types.ts';
import { checkSameVariables } from './same-variables.ts';
import { shareVariables } from './share-variables.ts';
import { type GradientExchange, meansOverRanks, sumArrays, sumOverRanks } from './sum-over-ranks.ts';

/** How a trainer works together with others; see the options of `Trainer`. */
export interface RankOptions {
  readonly world?: World;
  readonly batchStatistics?: BatchStatistics;
  readonly gradientExchange?: GradientExchange;
}

/** What a step computes before its update. */
export interface StepValues {
  /** Of the loss divided by the number of ranks: their sum over the ranks is the gradient of the mean. */
  readonly gradients: NamedTensors;
  /** Loss and metrics, shape [1 + metrics]. */
  readonly values: tf.Tensor1D;
}

/** What a trainer does together with those of the other ranks. Every rank calls the same. */
export interface RankTeam {
  /** Ranks. */
  readonly size: number;
  /** Whether the engine records steps. Then ranks exchange nothing within a step, and what they average travels between its halves. */
  readonly recorded: boolean;
  /** Runs the forward and backward pass of this rank's part of the batch. */
  run<Result>(pass: () => Result): Result;
  /**
   * Joins what each rank has of its part: sums of the gradients, means of the values. Running statistics that moved by a rank's part alone become their means as well.
   *
   * @param own - of this rank's part; disposed.
   */
  join(own: StepValues): StepValues;
  /** Running statistics that have moved by a rank's part alone. */
  readonly ownStatistics: Iterable<tf.Variable>;
  /** The same of arrays that each rank has read, in place: of all gradients, and of all values and {@link RankTeam.ownStatistics}. */
  joinArrays(gradients: Float32Array, values: Float32Array): void;
  /** Gives every rank the values of the first; returns its number of steps done. */
  share(variables: NamedVariables, stepsDone: number): Promise<number>;
  /** @throws Error if the values differ between ranks. */
  checkSame(variables: NamedVariables): Promise<void>;
  /** @throws Error if settings differ between ranks. */
  checkSettings(settings: Readonly<Record<string, unknown>>): void;
  /** Whether any rank says yes. */
  any(yes: boolean): boolean;
}

/** What may be done where ranks hold different values, on an engine on which they cannot exchange what a loss keeps. */
const recordedAdvice =
  "On this engine ranks share gradients and running statistics alone: train a loss that keeps something, as MoCo's queue, on 'simd'.";

/** @returns null for a trainer that works alone. */
export function rankTeam({
  world,
  batchStatistics = 'batch',
  gradientExchange = 'float32',
}: RankOptions): RankTeam | null {
  checkChoice('Trainer', 'batchStatistics', batchStatistics, ['batch', 'rank']);
  checkChoice('Trainer', 'gradientExchange', gradientExchange, ['float32', 'bfloat16']);
  if (!world || world.size === 1) return null;
  const recorded = runsAhead();
  if (recorded && batchStatistics === 'batch') {
    throw argumentError({
      fn: 'Trainer',
      argument: 'batchStatistics',
      required: `be 'rank' in a world of ${world.size} ranks on the engine '${tf.getBackend()}', which records its steps`,
      got: batchStatistics,
      advice: "Set batchStatistics: 'rank', and leave gatherViews out of the loss; or start 'simd'.",
    });
  }
  const ranks: RanksInStep = { world, batchStatistics, ownStatistics: new Set(), exchanges: !recorded };
  const sumGradients = sumOverRanks(world, gradientExchange);
  const sumArray = sumArrays(world, gradientExchange);
  return {
    size: world.size,
    recorded,
    ownStatistics: ranks.ownStatistics,
    run: (pass) => acrossRanks(ranks, pass),
    join(own) {
      const statistics = [...ranks.ownStatistics];
      const means = meansOverRanks(world, [own.values, ...statistics]);
      const gradients = sumGradients(own.gradients);
      tf.dispose([own.gradients, own.values]);
      const [values, ...others] = means as [tf.Tensor1D, ...tf.Tensor[]];
      for (const [i, variable] of statistics.entries()) variable.assign(others[i] as tf.Tensor);
      return { gradients, values };
    },
    joinArrays(gradients, values) {
      sumArray(gradients);
      world.allReduce(values);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / world.size;
    },
    share: (variables, stepsDone) => shareVariables(world, variables, stepsDone),
    checkSame: (variables) => checkSameVariables(world, variables, recorded ? recordedAdvice : undefined),
    checkSettings: (settings) => checkSameOnRanks(world, 'Trainer', settings),
    any(yes) {
      const votes = Int32Array.of(yes ? 1 : 0);
      world.allReduce(votes);
      return (votes[0] as number) > 0;
    },
  };
}
