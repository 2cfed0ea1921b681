import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { namedWeights } from '@tfjs-ssl/layers';
import { ntXentWithRanks } from '@tfjs-ssl/losses';
import { packedWords, packImages } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { adam, constantSchedule, Trainer } from '@tfjs-ssl/trainer';

/** What came of a training. */
export interface Training {
  /** Loss of each step. */
  readonly losses: readonly number[];
  /** SHA-256 of all weights and running statistics after the last step, hexadecimal. */
  readonly weights: string;
}

/** An engine that records a step replays it from the third on. */
const [images, size, steps] = [4, 16, 4];
/** High: at 0.07 a batch of four magnifies what engines round differently a thousandfold within these steps. */
const temperature = 0.5;

/** 8-bit RGB images of stripes and gradients, each another. */
function generatedImages(): Uint8Array {
  return Uint8Array.from({ length: images * size * size * 3 }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % size, Math.floor(i / (3 * size)) % size];
    const image = Math.floor(i / (3 * size * size));
    return (x * (7 + 5 * image) + y * (3 + channel) * (image + 1) + ((x >> 1) % 2) * 60 * channel) % 256;
  });
}

/**
 * Trains SimCLR for a few steps on the engine in use: augmentation of 8-bit images, a narrow ResNet-18, NT-Xent, Adam. Everything is seeded:
 * the same on every machine up to how an engine rounds.
 */
export async function train(): Promise<Training> {
  const chain = simclrChain({ size, solarizeProbability: 0.2, blurProbability: 1 });
  const encoder = resnet18({ inputShape: [size, size, 3], width: 8, seed: 1 });
  const head = mlpHead({ inputSize: 64, hiddenSizes: [32], outputSize: 16, seed: 2 });
  const variables = namedWeights({ encoder, head });
  const chosen = Array.from({ length: images }, (_, i) => i);
  const trainer = new Trainer({
    ...variables,
    inputs: {
      bytes: { shape: [images, packedWords([size, size])], dtype: 'int32' },
      table: { shape: [2 * images, chain.columns.length] },
    },
    loss: ({ bytes, table }) => {
      const packed = { shards: [bytes as tf.Tensor2D], imageSize: [size, size] as const, length: images };
      const views = chain.applyPacked(packed, tf.range(0, images, 1, 'int32'), table as tf.Tensor2D);
      const features = encoder.apply(views, { training: true });
      return ntXentWithRanks(head.apply(features, { training: true }) as tf.Tensor2D, { temperature });
    },
    optimizer: adam({ weightDecay: 1e-4 }),
    schedule: constantSchedule({ learningRate: 1e-3 }),
  });

  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const inputs = {
      bytes: packImages(generatedImages(), [size, size]).shards[0] as tf.Tensor,
      table: chain.sampleTable({ seed: 3, epoch: i, indices: chosen, imageSize: size }),
    };
    losses.push((await trainer.step(inputs)).loss);
    tf.dispose(inputs);
  }
  trainer.dispose();

  const trained = [...Object.values(variables.parameters), ...Object.values(variables.buffers)];
  const bytes: Uint8Array[] = [];
  for (const variable of trained) bytes.push(new Uint8Array((await variable.data<'float32'>()).slice().buffer));
  const digest = await crypto.subtle.digest('SHA-256', await new Blob(bytes as BlobPart[]).arrayBuffer());
  const weights = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  tf.dispose(trained);
  return { losses, weights };
}
