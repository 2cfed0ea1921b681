// MoCo v2: queries find their keys among those of earlier steps; keys come from a moving average of the encoder.
// He et al. 2020, "Momentum Contrast"; Chen et al. 2020, "Improved Baselines with Momentum Contrastive Learning".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, one set of views, Adam.
// The paper has a queue of 65,536, a momentum of 0.999 and SGD, and shuffles images among GPUs, lest batch norm tells which keys are new.
// Here the keys of the batch are negatives too.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.simclrChain({ size, cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [size, size, 3], width: 16, seed });
  const head = ssl.mocoHead({ inputSize: 128, hiddenSize: 128, outputSize: 64, seed });
  const target = ssl.movingAverage({ encoder, head }, { momentum: 0.996 });
  const queue = ssl.featureQueue({ size: 1024, width: 64, seed });
  const { parameters, buffers } = ssl.namedWeights({ encoder, head });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new ssl.Trainer({
    parameters,
    buffers: { ...buffers, queue: queue.rows },
    afterUpdate: { target },
    inputs: feed.specs,
    loss: (inputs) => {
      const [one, other] = tf.split(feed.views(inputs), 2);
      const queries = head.apply(encoder.apply(one!, { training: true }));
      const { models } = target;
      const keys = ssl.stopGradient(() => models.head.apply(models.encoder.apply(other!, { training: true })));
      const loss = ssl.infoNCE(queries, keys, { temperature: 0.2, negatives: queue.rows });
      queue.enqueue(keys);
      return loss;
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 1e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
