// SwAV: each view predicts to which prototypes the other view is assigned; assignments use all prototypes alike.
// Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, Adam.
// The paper has six small crops of 96 pixels beside 224, 3000 prototypes, LARS, assignments with an epsilon of 0.05 and, for small
// batches, a queue of features. Here prototypes are no more than the images of a batch, and assignments are sharper.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.swavChains({
    size,
    smallSize: size / 2,
    smallViews: 2,
    cropScale: [0.2, 1],
    smallCropScale: [0.05, 0.2],
  });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [null, null, 3], width: 16, seed });
  const head = ssl.swavHead({ inputSize: 128, hiddenSize: 256, outputSize: 64, seed });
  const prototypes = ssl.swavPrototypes({ inputSize: 64, prototypes: 32, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    ...ssl.namedWeights({ encoder, head, prototypes }),
    afterUpdate: { unit: ssl.unitPrototypes(prototypes) },
    frozenAtFirst: { parameters: [/^prototypes/], steps: feed.stepsPerEpoch },
    inputs: feed.specs,
    loss: (inputs) => {
      const { large, small } = feed.views(inputs);
      const features = tf.concat([large, small].map((views) => encoder.apply(views, { training: true })));
      const scores = prototypes.apply(head.apply(features, { training: true }));
      const [one, other] = tf.split<tf.Tensor2D>(scores, 4); // of the large views, each assigned by itself
      const assignments = [one!, other!].map((view) => ssl.sinkhorn(view, { epsilon: 0.02 }));
      return ssl.swav(scores, tf.concat(assignments), { views: 4 });
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
