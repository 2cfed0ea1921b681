// DINO: a student predicts what its moving average says of the other view, centred and sharpened. No negatives.
// Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers".
//
// Differs from the paper, as all here: a narrow ResNet-18, small images and batches, few epochs, Adam.
// The paper has eight small crops, 65,536 outputs and vision transformers, and warms the teacher's temperature up.
import * as tf from '@tensorflow/tfjs-core';
import * as ssl from '@tfjs-ssl/all';
import type { Run } from './method.ts';

export async function train({ images, size, batchSize, epochs, seed, onEvent }: Run): Promise<ssl.TypedModel> {
  const chain = ssl.dinoChains({ size, smallSize: size / 2, smallViews: 2 });
  const feed = await ssl.imageFeed(images, { chain, batchSize, seed });
  const encoder = ssl.resnet18({ inputShape: [null, null, 3], width: 16, seed });
  const sizes = { inputSize: 128, hiddenSize: 256, bottleneckSize: 64, outputSize: 256 };
  const head = ssl.dinoHead({ ...sizes, batchNorm: true, seed });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const momentum = ssl.cosineMomentum({ start: 0.99, totalSteps });
  const teacher = ssl.movingAverage({ encoder, head }, { momentum });
  const center = tf.variable(tf.zeros<tf.Rank.R1>([sizes.outputSize]), false);
  const { parameters, buffers } = ssl.namedWeights({ encoder, head });
  const training = { training: true };
  const trainer = new ssl.Trainer({
    parameters,
    buffers: { ...buffers, center },
    afterUpdate: { teacher },
    frozenAtFirst: { parameters: [/last_layer/], steps: feed.stepsPerEpoch },
    inputs: feed.specs,
    loss: (inputs) => {
      const [{ large, small }, { models }] = [feed.views(inputs), teacher];
      const features = [large, small].map((views) => encoder.apply(views, training));
      const student = head.apply(tf.concat(features), training);
      const targets = ssl.stopGradient(() => models.head.apply(models.encoder.apply(large, training), training));
      const loss = ssl.dino(student, targets, { center, teacherTemperature: 0.04, views: 4 });
      center.assign(ssl.dinoCenter(center, targets)); // for the next step
      return loss;
    },
    optimizer: ssl.adam({ weightDecay: 1e-6 }),
    schedule: ssl.warmupCosine({ learningRate: 2e-3, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  for await (const event of trainer.fit({ epochs, ...feed })) await onEvent(event);
  trainer.dispose();
  feed.dispose();
  return encoder;
}
