// SimCLR: the two views of an image attract each other and repel all other views of the batch.
// Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, Adam.
// The paper trains with LARS in batches of 4096; the temperature is lower here.
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.simclrHead({ inputSize: 128, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head }),
    inputs: feed.specs,
    loss: (inputs) => {
      const features = encoder.apply(feed.views(inputs), { training: true });
      return ssl.ntXent(head.apply(features, { training: true }), { temperature: 0.1 });
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
