// Barlow Twins: each feature agrees between the two views, and correlates with no other feature. No negatives.
// Zbontar et al. 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, Adam.
// The paper trains with LARS in batches of 2048, a projector of 8192, and solarizes and blurs views differently.
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.barlowTwinsHead({ inputSize: 128, hiddenSize: 256, outputSize: 256, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head }),
    inputs: feed.specs,
    loss: (inputs) => {
      const features = encoder.apply(feed.views(inputs), { training: true });
      return ssl.barlowTwins(head.apply(features, { training: true }), { lambda: 0.005 });
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
