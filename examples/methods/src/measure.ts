import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Data } from './data.ts';
import type { Options } from './options.ts';
import { methods } from './registry.ts';

/** One training of one method, and what its encoder is worth. */
export interface Measured {
  readonly method: string;
  readonly seed: number;
  readonly engine: string;
  readonly device: string;
  /** Name of the images. */
  readonly data: string;
  /** Top-1 of the 20 nearest neighbours (temperature 0.1) and of the linear probe, fractions. */
  readonly knn: number;
  readonly linear: number;
  /** Of the features of the images to classify. */
  readonly effectiveRank: number;
  readonly deviation: number;
  /** Mean loss of the first and last epoch; null where nothing is trained. */
  readonly loss: { readonly first: number; readonly last: number } | null;
  /** Steps of the training, and the seconds that it took. */
  readonly steps: number;
  readonly seconds: number;
  /** Most memory that the process held, MB. */
  readonly megabytes: number;
}

/** Trains a method and evaluates its encoder. It starts the engine; memory is that of the whole process. */
export async function measure(method: string, seed: number, options: Options, data: Data): Promise<Measured> {
  const { batchSize, epochs, threads } = options;
  const { name: engine, device } = await ssl.startEngine('auto', threads === null ? {} : { threads });
  const { train } = await (methods[method] as NonNullable<(typeof methods)[string]>)();
  const losses: number[] = [];
  let steps = 0;
  const onEvent = (event: ssl.FitEvent): void => {
    if (event.type === 'step') steps++;
    if (event.type !== 'epoch') return;
    losses.push(event.loss);
    process.stderr.write(
      `${method}, seed ${seed}: epoch ${event.epoch + 1} of ${epochs}, loss ${event.loss.toFixed(3)}\n`,
    );
  };
  const size = data.train.imageShape[0];
  const start = performance.now();
  const encoder = await train({ images: data.train, size, batchSize, epochs, seed, onEvent });
  const seconds = (performance.now() - start) / 1000;
  const evaluated = await evaluate(encoder, data);
  const megabytes = process.resourceUsage().maxRSS / 1024;
  const loss = losses.length > 0 ? { first: losses[0] as number, last: losses.at(-1) as number } : null;
  tf.disposeVariables();
  return { method, seed, engine, device, data: data.name, ...evaluated, loss, steps, seconds, megabytes };
}

async function evaluate(encoder: ssl.TypedModel, { train, val }: Data) {
  const classes = train.classNames.length;
  const bank = await ssl.extractFeatures(encoder, train);
  const queries = await ssl.extractFeatures(encoder, val);
  const k = Math.min(20, train.length);
  const neighbours = { bank, bankLabels: train.labels, queries, queryLabels: val.labels, classes, k };
  const probe = await ssl.chooseProbe({ features: bank, labels: train.labels, classes });
  const deviation = ssl.featureDeviation(queries);
  const result = {
    knn: await ssl.knnAccuracy(neighbours),
    linear: await ssl.probeAccuracy({ probe, features: queries, labels: val.labels }),
    effectiveRank: await ssl.effectiveRank(queries),
    deviation: (await deviation.data<'float32'>())[0] as number,
  };
  tf.dispose([bank, queries, probe.weights, probe.bias, deviation]);
  return result;
}
