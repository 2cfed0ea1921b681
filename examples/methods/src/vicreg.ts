// VICReg: views agree, every feature varies over the batch, and features do not correlate. No negatives.
// Bardes et al. 2022, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, Adam.
// The paper trains with LARS in batches of 2048, an expander of 8192, and BYOL's views.
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.vicRegHead({ inputSize: 128, hiddenSize: 256, outputSize: 256, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head }),
    inputs: feed.specs,
    loss: (inputs) => {
      const features = encoder.apply(feed.views(inputs), { training: true });
      return ssl.vicReg(head.apply(features, { training: true }));
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
