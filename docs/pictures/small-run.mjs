// A run small enough for the build of the site: SimCLR on generated images, for the loss curve on its pages.
import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { batches, generatedImages, stepsPerEpoch } from '@tfjs-ssl/datasets';
import { ntXent } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { lossCurve } from '@tfjs-ssl/report';
import { namedWeights, resnet18 } from '@tfjs-ssl/resnet';
import { adam, Trainer, warmupCosine } from '@tfjs-ssl/trainer';

const [size, batchSize, epochs, seed] = [32, 32, 6, 1];

/**
 * Trains for a few seconds.
 *
 * @returns {Promise<string>} the loss curve, SVG.
 */
export async function smallRun() {
  const dataset = generatedImages({ classes: 8, imagesPerClass: 160, size, seed });
  const perEpoch = stepsPerEpoch(dataset.length, batchSize);
  const chain = simclrChain({ size, strength: 0.5, blurProbability: 0, cropScale: [0.2, 1] });
  const encoder = resnet18({ inputShape: [size, size, 3], width: 8, seed });
  const head = mlpHead({ inputSize: 64, hiddenSizes: [64], outputSize: 32, seed });
  const trainer = new Trainer({
    ...namedWeights({ encoder, head }),
    inputs: { images: { shape: [batchSize, size, size, 3] }, table: { shape: [2 * batchSize, chain.columns.length] } },
    loss: ({ images, table }) => {
      const features = encoder.apply(chain.apply(images, table), { training: true });
      return { loss: ntXent(head.apply(features, { training: true }), { temperature: 0.1 }) };
    },
    optimizer: adam({ weightDecay: 1e-6 }),
    schedule: warmupCosine({ learningRate: 2e-3, warmupSteps: 20, totalSteps: epochs * perEpoch }),
  });
  const inputs = (batch) => {
    return {
      images: tf.tensor4d(
        Float32Array.from(batch.images, (byte) => byte / 255),
        [batchSize, size, size, 3],
      ),
      table: chain.sampleTable({ seed, epoch: batch.epoch, indices: batch.indices, imageSize: size }),
    };
  };
  const records = [];
  const events = trainer.fit({
    epochs,
    stepsPerEpoch: perEpoch,
    imagesPerStep: batchSize,
    batches: ({ epoch, step }) => batches(dataset, { batchSize, seed, epoch, startStep: step }),
    inputs,
  });
  for await (const event of events) if (event.type === 'step') records.push(event);
  return lossCurve(records, { title: 'NT-Xent loss of a run on generated images', stepsPerEpoch: perEpoch });
}
