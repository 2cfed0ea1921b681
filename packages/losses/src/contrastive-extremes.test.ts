import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import seedrandom from 'seedrandom';
import { it } from 'vitest';
import { errorOfLogits, expectRows, ROUNDOFF, temperatures } from '../test-support/extremes.ts';
import {
  both,
  type Contrast,
  contrast,
  ntXentInFloat64,
  partnerOf,
  type RowGradients,
} from '../test-support/float64-contrast.ts';
import { dcl, infoNCE, supCon } from './index.ts';

type Rows = readonly number[][];

/** A loss of some rows with its gradients, on the engine and in float64. */
interface Case {
  readonly loss: (inputs: tf.Tensor2D[], temperature: number) => tf.Scalar;
  readonly inFloat64: (inputs: readonly Rows[], temperature: number) => { loss: number; gradients: RowGradients[] };
}

/** The loss of rows compared with each other. */
const amongRows = (inFloat64: (z: Rows, temperature: number) => Contrast): Case['inFloat64'] => {
  return ([z], temperature) => {
    const result = inFloat64(z!, temperature);
    return { loss: result.loss, gradients: [both(result)] };
  };
};

const dclInFloat64 = (z: Rows, temperature: number, sigma?: number): Contrast => {
  const rows = z.length;
  const { cosines } = ntXentInFloat64(z, 1);
  const similar = cosines.map((row, i) => Math.exp(row[partnerOf(i, rows)]! / (sigma ?? 1)));
  const mean = similar.reduce((sum, value) => sum + value, 0) / rows;
  return contrast({
    anchors: z,
    others: z,
    temperature,
    compared: (i, j) => j !== i && j !== partnerOf(i, rows),
    positive: (i, j) => (j !== partnerOf(i, rows) ? 0 : sigma === undefined ? 1 : 2 - similar[i]! / mean),
    weight: () => 1 / rows,
  });
};

/** Five rows in six have company in their class. */
const labelOf = (row: number): number => (row % 6 === 5 ? -1 - row : (row * row) % 3);

const supConInFloat64 = (z: Rows, temperature: number): Contrast => {
  const alike = (i: number, j: number) => j !== i && labelOf(i) === labelOf(j);
  const counts = z.map((_, i) => z.filter((__, j) => alike(i, j)).length);
  const counted = counts.filter((count) => count > 0).length;
  return contrast({
    anchors: z,
    others: z,
    temperature,
    compared: (i, j) => i !== j,
    positive: (i, j) => (alike(i, j) ? 1 / counts[i]! : 0),
    weight: (i) => (counts[i]! > 0 ? 1 / counted : 0),
  });
};

const oneWay = (anchors: Rows, candidates: Rows, negatives: Rows, temperature: number, inBatch = true): Contrast =>
  contrast({
    anchors,
    others: [...candidates, ...negatives],
    temperature,
    compared: (i, j) => inBatch || j === i || j >= candidates.length,
    positive: (i, j) => Number(i === j),
    weight: () => 1 / anchors.length,
  });

const part = ({ gradient, scale }: RowGradients, from: number, to?: number): RowGradients => ({
  gradient: gradient.slice(from, to),
  scale: scale.slice(from, to),
});

const cases: Readonly<Record<string, Case>> = {
  dcl: {
    loss: ([z], temperature) => dcl(z!, { temperature }),
    inFloat64: amongRows(dclInFloat64),
  },
  'dcl, weighted': {
    loss: ([z], temperature) => dcl(z!, { temperature, sigma: 0.5 }),
    inFloat64: amongRows((z, temperature) => dclInFloat64(z, temperature, 0.5)),
  },
  supCon: {
    loss: ([z], temperature) => {
      const labels = Int32Array.from({ length: z!.shape[0] }, (_, row) => labelOf(row));
      return supCon(z!, tf.tensor1d(labels, 'int32'), { temperature });
    },
    inFloat64: amongRows(supConInFloat64),
  },
  'infoNCE with a queue': {
    loss: ([anchors, candidates, negatives], temperature) =>
      infoNCE(anchors!, candidates!, { temperature, negatives: negatives!, inBatch: false }),
    inFloat64: ([anchors, candidates, negatives], temperature) => {
      const { loss, ofAnchors, ofOthers } = oneWay(anchors!, candidates!, negatives!, temperature, false);
      const count = candidates!.length;
      return { loss, gradients: [ofAnchors, part(ofOthers, 0, count), part(ofOthers, count)] };
    },
  },
  'infoNCE, both ways': {
    loss: ([a, b], temperature) => infoNCE(a!, b!, { temperature, symmetric: true }),
    inFloat64: ([a, b], temperature) => {
      const [there, back] = [oneWay(a!, b!, [], temperature), oneWay(b!, a!, [], temperature)];
      const halves = [
        both({ ...there, ofOthers: back.ofOthers }),
        both({ ...there, ofAnchors: there.ofOthers, ofOthers: back.ofAnchors }),
      ].map(({ gradient, scale }) => ({
        gradient: gradient.map((row) => row.map((value) => value / 2)),
        scale: scale.map((value) => value / 2),
      }));
      return { loss: (there.loss + back.loss) / 2, gradients: halves };
    },
  },
};

/** Compares a loss and its gradients for all its rows with float64. */
async function expectCase({ loss, inFloat64 }: Case, inputs: readonly Rows[], temperature: number): Promise<void> {
  const expected = inFloat64(inputs, temperature);
  const [value, gradients] = tf.tidy(() => {
    const tensors = inputs.map((rows) => tf.tensor2d(rows as number[][]));
    const compute = (...given: tf.Tensor[]) => loss(given as tf.Tensor2D[], temperature);
    return [compute(...tensors), tf.grads(compute)(tensors)] as const;
  });
  const error = errorOfLogits(temperature);
  await expectClose(value, [expected.loss], { atol: 2 * error, rtol: 4 * ROUNDOFF });
  for (const [i, rows] of expected.gradients.entries()) await expectRows(await gradients[i]!.data(), rows, error);
  tf.dispose([value, gradients]);
}

describeEngines('in the extremes', () => {
  it.each(Object.keys(cases).flatMap((name) => temperatures.map((temperature) => [name, temperature] as const)))(
    '%s agrees with float64 for norms from 1e-30 to 1e30, temperature %f',
    async (name, temperature) => {
      const random = seedrandom(`${name} ${temperature}`);
      for (const [rows, columns] of [
        [4, 3],
        [16, 8],
        [70, 33],
      ] as const) {
        const inputs = (name.includes('queue') ? [rows, rows, 11] : name.includes('both') ? [rows, rows] : [rows]).map(
          (count) =>
            Array.from({ length: count }, () => {
              const norm = 10 ** (60 * random() - 30);
              return Array.from({ length: columns }, () => Math.fround((2 * random() - 1) * norm));
            }),
        );
        await expectCase(cases[name]!, inputs, temperature);
      }
    },
  );
});
