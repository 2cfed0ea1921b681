import * as tf from '@tensorflow/tfjs-core';
import seedrandom from 'seedrandom';

/** Where a weight's first values come from: a generator of uniform numbers in [0, 1) and the number of values. */
type Fill = (random: () => number, values: Float32Array) => void;

/**
 * An initialiser whose values are computed here and not by a backend, so that one seed gives the same weights on every engine.
 *
 * Each weight has a generator of its own, keyed by the seed, the layer's name and the weight's: adding a layer changes no other.
 */
export class SeededValues extends tf.serialization.Serializable {
  static readonly className: string = 'SeededValues';
  readonly #key: string;
  readonly #fill: Fill;

  constructor(seed: number, layerName: string, weightName: string, fill: Fill) {
    super();
    this.#key = `${seed}/${layerName}/${weightName}`;
    this.#fill = fill;
  }

  fromConfigUsesCustomObjects(): boolean {
    return false;
  }

  apply(shape: (number | null)[]): tf.Tensor {
    const values = new Float32Array(shape.reduce<number>((count, length) => count * (length as number), 1));
    this.#fill(seedrandom.alea(this.#key), values);
    return tf.tensor(values, shape as number[], 'float32');
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** Normal values around 0, by the Box-Muller transform. */
export function normal(deviation: number): Fill {
  return (random, values) => {
    for (let i = 0; i < values.length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log(1 - random())); // 1 - [0, 1) is never 0
      const angle = 2 * Math.PI * random();
      values[i] = radius * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
    }
  };
}

/** Uniform values in [-bound, bound). */
export function uniform(bound: number): Fill {
  return (random, values) => {
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random() - 1);
  };
}

/** One value everywhere. */
export function constant(value: number): Fill {
  return (_random, values) => {
    values.fill(value);
  };
}

/** Numbers stay; a text becomes a 32-bit number, since TensorFlow.js changes the case of texts when it saves a layer's configuration. */
export function seedNumber(seed: number | string): number {
  return typeof seed === 'number' ? seed : seedrandom.alea(seed).int32();
}
