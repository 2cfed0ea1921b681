import * as tf from '@tensorflow/tfjs-core';
import { contrastiveAccuracy, contrastiveLogits, ntXentWithRanks } from '@tfjs-ssl/losses';
import { numberOf } from '@tfjs-ssl/testing';
import { expect } from 'vitest';
import { describeGolden, type Expectation, expectGolden, type GoldenCase, type GoldenGroup } from './harness.ts';
import { treatLoss } from './loss-cases.ts';

/** A row's logits in the files' order: the positive first, then the negatives in ascending order. */
function positiveFirst(logits: Float32Array, rows: number): Float32Array {
  const ordered = new Float32Array(rows * (rows - 1));
  for (let i = 0; i < rows; i++) {
    const partner = (i + rows / 2) % rows;
    const columns = [partner, ...Array.from({ length: rows }, (_, j) => j).filter((j) => j !== i && j !== partner)];
    columns.forEach((j, place) => {
      ordered[i * (rows - 1) + place] = logits[i * rows + j] as number;
    });
  }
  return ordered;
}

/** What an advisory comparison says: it is reported, not demanded. */
function comparison(compare: () => void): string {
  try {
    compare();
    return 'agrees with PyTorch (advisory)';
  } catch (error) {
    return `differs from PyTorch (advisory): ${(error as Error).message}`;
  }
}

async function ntXentCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { data, shape } = group.tensor(golden.inputs.z);
  const temperature = golden.params.tau;
  const z = tf.tensor2d(Float32Array.from(data), shape as [number, number]);
  const result = ntXentWithRanks(z, { temperature });
  const gradient = tf.grad((x: tf.Tensor) => ntXentWithRanks(x as tf.Tensor2D, { temperature }).loss)(z);
  const loss = (await result.loss.data())[0] as number;
  const dz = await gradient.data();
  const matrix = contrastiveLogits(z, { temperature });
  const logits = positiveFirst((await matrix.data()) as Float32Array, shape[0] as number);
  const top = async (k: number) => 100 * (await numberOf(() => contrastiveAccuracy(result.ranks, k)));
  const got: Record<string, number | ArrayLike<number>> = { loss, logits, dz };
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    const k = /^top(\d+)$/.exec(name)?.[1];
    const values = k ? await top(Number(k)) : got[name];
    if (values === undefined) expect.fail(`no test knows the expected '${name}'`);
    if (golden.note?.startsWith('advisory')) {
      const numbers = typeof values === 'number' ? [values] : Array.from(values);
      expect(numbers.every(Number.isFinite), `${name} is finite`).toBe(true);
      console.log(
        `golden losses: ${golden.id}, ${name}: ${comparison(() => expectGolden(group, name, values, expectation))}`,
      );
    } else {
      expectGolden(group, name, values, expectation);
    }
  }
  tf.dispose([z, gradient, matrix, result.loss, result.ranks]);
}

await describeGolden('losses', (golden) =>
  golden.formula === 'ntxent' ? { run: (group) => ntXentCase(golden, group) } : treatLoss(golden),
);
