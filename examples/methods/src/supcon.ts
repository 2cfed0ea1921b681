// SupCon: SimCLR with labels, in which all views of a class attract each other. The one method here that sees labels.
// Khosla et al. 2020, "Supervised Contrastive Learning".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, Adam.
// The paper trains with SGD in batches of 6144 and has SimCLR's head without batch norm.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed, labels: true });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.simclrHead({ inputSize: 128, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head }),
    inputs: feed.specs,
    loss: (inputs) => {
      const features = encoder.apply(feed.views(inputs), { training: true });
      const labels = tf.concat([inputs.labels, inputs.labels]); // of both views
      return ssl.supCon(head.apply(features, { training: true }), labels, { temperature: 0.1 });
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
