// BYOL: a predictor on one view guesses the projection of the other by a moving average of the network. No negatives.
// Grill et al. 2020, "Bootstrap Your Own Latent".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, SGD.
// The paper has other views for each branch, LARS in batches of 4096, hidden layers of 4096, and a momentum from 0.996 on.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.byolHead({ inputSize: 128, hiddenSize: 256, outputSize: 64, seed });
  const predictor = ssl.byolPredictor({ inputSize: 64, hiddenSize: 256, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const momentum = ssl.cosineMomentum({ start: 0.99, totalSteps });
  const target = ssl.movingAverage({ encoder, head }, { momentum });
  const training = { training: true };
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head, predictor }),
    afterUpdate: { target },
    inputs: feed.specs,
    loss: (inputs) => {
      const views = feed.views(inputs);
      const predictions = predictor.apply(head.apply(encoder.apply(views, training), training), training);
      const { models } = target;
      const targets = ssl.stopGradient(() => models.head.apply(models.encoder.apply(views, training), training));
      const [one, other] = tf.split<tf.Tensor2D>(targets, 2);
      return ssl.negativeCosine(predictions, tf.concat([other!, one!])); // each view predicts the other
    },
    optimizer: ssl.sgd({ momentum: 0.9, weightDecay: 5e-4 }),
    schedule: ssl.warmupCosine({ learningRate: 0.1, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
