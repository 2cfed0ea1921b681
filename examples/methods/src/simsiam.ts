// SimSiam: BYOL without a moving average: a predictor guesses the other view's projection, at which gradients stop.
// Chen and He 2021, "Exploring Simple Siamese Representation Learning".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views.
// The paper keeps the predictor's learning rate constant and has layers of 2048. SGD as in the paper, at a higher rate.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.simsiamHead({ inputSize: 128, hiddenSize: 256, outputSize: 256, seed });
  const predictor = ssl.simsiamPredictor({ inputSize: 256, hiddenSize: 64, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const training = { training: true };
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head, predictor }),
    inputs: feed.specs,
    loss: (inputs) => {
      const projections = head.apply(encoder.apply(feed.views(inputs), training), training);
      const [one, other] = tf.split<tf.Tensor2D>(projections, 2);
      return ssl.negativeCosine(predictor.apply(projections, training), tf.concat([other!, one!]));
    },
    optimizer: ssl.sgd({ momentum: 0.9, weightDecay: 5e-4 }),
    schedule: ssl.warmupCosine({ learningRate: 0.1, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
