import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { World } from '@tfjs-ssl/ops';
import * as ssl from '../src/index.ts';

const [images, size, width, classes] = [4, 8, 8, 12];

/** The inputs of a step: always the same for one index; of several ranks, the part of this one. */
export const branchInputs = (
  step: number,
  { rank, size: ranks }: Pick<World, 'rank' | 'size'> = { rank: 0, size: 1 },
): { views: tf.Tensor; temperature: tf.Tensor } => {
  const own = images / ranks;
  const pixels = size * size * 3;
  const views = Float32Array.from({ length: 2 * own * pixels }, (_, i) => {
    const [view, within] = [Math.floor(i / (own * pixels)), i % (own * pixels)];
    return Math.abs(Math.sin(12.9898 * ((view * images + rank * own) * pixels + within + 1) + step));
  });
  return {
    views: tf.tensor4d(views, [2 * own, size, size, 3]),
    temperature: tf.scalar(ssl.dinoTeacherTemperature(step, { warmupSteps: 10 })),
  };
};

/** A narrow convolutional encoder with batch norm. */
function encoderOf(): ssl.TypedModel {
  const pixels = tfl.input({ shape: [size, size, 3] });
  const maps = ssl
    .conv2d({ filters: width, kernelSize: 3, strides: 2, padding: 1, seed: 1, name: 'conv1' })
    .apply(pixels);
  const normalised = ssl.batchNorm({ relu: true, name: 'bn1' }).apply(maps);
  const features = ssl.globalAveragePool({ name: 'pool' }).apply(normalised);
  return ssl.typedModel(tfl.model({ inputs: pixels, outputs: features }), 2);
}

const training = { training: true };

/** Inputs of every method's step: two views, first all of view 0, and the temperature of DINO's teacher. How all train. */
const common = (world: World | undefined) =>
  ({
    inputs: { views: { shape: [(2 * images) / (world?.size ?? 1), size, size, 3] }, temperature: { shape: [] } },
    optimizer: ssl.adam({ weightDecay: 1e-4 }),
    schedule: ssl.warmupCosine({ learningRate: 0.01, warmupSteps: 2, totalSteps: 40 }),
    ...(world && { world }),
  }) as const;
const momentum = ssl.cosineMomentum({ start: 0.9, totalSteps: 30 });
const sizes = { inputSize: width, hiddenSize: 16, outputSize: 6 };

function moco(world?: World) {
  const [encoder, head] = [encoderOf(), ssl.mocoHead(sizes)];
  const target = ssl.movingAverage({ encoder, head }, { momentum: 0.9 });
  const queue = ssl.featureQueue({ size: 10, width: 6 });
  const { parameters, buffers } = ssl.namedWeights({ encoder, head });
  return new ssl.Trainer({
    ...common(world),
    parameters,
    buffers: { ...buffers, queue: queue.rows },
    afterUpdate: { target },
    loss: ({ views }) => {
      const [one, other] = tf.split<tf.Tensor4D>(views, 2) as [tf.Tensor4D, tf.Tensor4D];
      const queries = head.apply(encoder.apply(one, training), training);
      const keys = ssl.stopGradient(() =>
        target.models.head.apply(target.models.encoder.apply(other, training), training),
      );
      const loss = ssl.infoNCE(queries, keys, { temperature: 0.2, negatives: queue.rows, inBatch: false });
      queue.enqueue(ssl.gatherViews(keys, { views: 1 }));
      return { loss, metrics: { deviation: ssl.featureDeviation(queries) } };
    },
  });
}

function byol(world?: World) {
  const [encoder, head] = [encoderOf(), ssl.byolHead(sizes)];
  const predictor = ssl.byolPredictor({ inputSize: 6, hiddenSize: 16 });
  const target = ssl.movingAverage({ encoder, head }, { momentum });
  return new ssl.Trainer({
    ...common(world),
    ...ssl.namedWeights({ encoder, head, predictor }),
    afterUpdate: { target },
    loss: ({ views }) => {
      const predictions = predictor.apply(head.apply(encoder.apply(views, training), training), training);
      const [one, other] = tf.split(
        ssl.stopGradient(() => target.models.head.apply(target.models.encoder.apply(views, training), training)),
        2,
      );
      const loss = ssl.negativeCosine(predictions, tf.concat([other as tf.Tensor2D, one as tf.Tensor2D]));
      return { loss, metrics: { deviation: ssl.featureDeviation(predictions) } };
    },
  });
}

function swav(world?: World) {
  const [encoder, head] = [encoderOf(), ssl.swavHead(sizes)];
  const prototypes = ssl.swavPrototypes({ inputSize: 6, prototypes: classes });
  return new ssl.Trainer({
    ...common(world),
    ...ssl.namedWeights({ encoder, head, prototypes }),
    afterUpdate: { unit: ssl.unitPrototypes(prototypes) },
    frozenAtFirst: { parameters: [/^prototypes/], steps: 3 },
    loss: ({ views }) => {
      const scores = ssl.gatherViews(prototypes.apply(head.apply(encoder.apply(views, training), training)));
      const assignments = tf.split(scores, 2).map((view) => ssl.sinkhorn(view as tf.Tensor2D));
      return { loss: ssl.swav(scores, tf.concat(assignments)), metrics: { deviation: ssl.featureDeviation(scores) } };
    },
  });
}

function dino(world?: World) {
  const [encoder, head] = [encoderOf(), ssl.dinoHead({ ...sizes, bottleneckSize: 4, outputSize: classes })];
  const teacher = ssl.movingAverage({ encoder, head }, { momentum, runningStatistics: 'averaged' });
  const center = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R1>([classes]), false));
  const { parameters, buffers } = ssl.namedWeights({ encoder, head });
  return new ssl.Trainer({
    ...common(world),
    parameters,
    buffers: { ...buffers, center },
    afterUpdate: { teacher },
    frozenAtFirst: { parameters: [/last_layer/], steps: 3 },
    clipNorm: 3,
    loss: ({ views, temperature }) => {
      const student = head.apply(encoder.apply(views, training), training);
      const logits = ssl.stopGradient(() => teacher.models.head.apply(teacher.models.encoder.apply(views, training)));
      const loss = ssl.dino(student, logits, { center, teacherTemperature: temperature });
      center.assign(ssl.dinoCenter(center, ssl.gatherViews(logits)));
      return { loss, metrics: { deviation: ssl.featureDeviation(student) } };
    },
  });
}

/**
 * Trainers of methods with two branches, or with more than gradients in a step; always the same at their start. Of several ranks, each has its
 * part of every batch, and all compute queue, center and assignments of the rows of all.
 */
export const branchTrainers = { moco, byol, swav, dino };
