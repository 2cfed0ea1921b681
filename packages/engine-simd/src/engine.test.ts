import { createHash } from 'node:crypto';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import {
  adamUpdate,
  batchNormTrain,
  globalAveragePool,
  momentumUpdate,
  ntXentWithRanks,
  squeezeExcite,
} from '@tfjs-ssl/ops';
import { expectClose } from '@tfjs-ssl/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simdEngine } from './index.ts';

afterAll(() => simdEngine.stop());

const normal = (shape: number[], seed: number): tf.Tensor => {
  // The generator of tf.randomNormal runs in JavaScript: the same values on every engine and thread count.
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
};

/** A small residual network with every fused operation, trained for two steps; a hash of all that comes out. */
function hashOfTraining(): string {
  const hash = createHash('sha256');
  const add = (...tensors: tf.Tensor[]) => {
    for (const tensor of tensors) hash.update(new Uint8Array((tensor.dataSync() as Float32Array).buffer));
  };
  tf.tidy(() => {
    const shapes = {
      stem: [7, 7, 3, 24],
      depthwise: [3, 3, 24, 1],
      wide: [5, 5, 24, 1],
      squeeze: [24, 6],
      excite: [6, 24],
      a: [3, 3, 24, 40],
      d: [1, 1, 24, 40],
      b: [3, 3, 40, 40],
      w: [3, 3, 40, 64],
      v: [3, 3, 64, 272],
      head: [272, 33],
    };
    const entries = Object.entries(shapes).map(
      ([name, shape], i) => [name, tf.variable(tf.mul(normal(shape, i + 1), 0.1))] as const,
    );
    const p = Object.fromEntries(entries) as Record<keyof typeof shapes, tf.Variable>;
    const norm = (x: tf.Tensor, relu: boolean, residual?: tf.Tensor) => {
      const c = x.shape.at(-1)!;
      return batchNormTrain(x, tf.ones([c]), tf.zeros([c]), residual ? { relu, residual } : { relu })
        .output as tf.Tensor4D;
    };
    const conv = (x: tf.Tensor, w: tf.Tensor, stride: number, pad: number) =>
      tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad);
    const x = normal([12, 20, 20, 3], 20);
    const network = () => {
      const depthwise = tf.depthwiseConv2d(conv(x, p.stem, 2, 3), p.depthwise as tf.Tensor4D, 1, 'same');
      const wide = tf.depthwiseConv2d(depthwise, p.wide as tf.Tensor4D, 1, 2);
      const active = batchNormTrain(wide, tf.ones([24]), tf.zeros([24]), { silu: true }).output as tf.Tensor4D;
      const gated = squeezeExcite(active, {
        ...{ squeeze: p.squeeze as tf.Tensor2D, squeezeBias: tf.zeros([6]) },
        ...{ excite: p.excite as tf.Tensor2D, exciteBias: tf.zeros([24]) },
      });
      const sum = tf.addN([depthwise, tf.avgPool(depthwise, 3, 1, 'same'), gated]);
      let h: tf.Tensor = tf.maxPool(norm(sum, true), 3, 2, 1);
      h = norm(conv(norm(conv(h, p.a, 1, 1), true), p.b, 1, 1), true, norm(conv(h, p.d, 1, 0), false));
      h = norm(
        conv(
          tf.pad(h as tf.Tensor4D, [
            [0, 0],
            [1, 2],
            [1, 2],
            [0, 0],
          ]),
          p.w,
          1,
          1,
        ),
        true,
      ); // 8x8: Winograd
      const z = tf.matMul(globalAveragePool(norm(conv(h, p.v, 2, 1), true)), p.head as tf.Tensor2D);
      const logits = tf.div(tf.matMul(z, z, false, true), 4);
      const loss = tf.mean(tf.sub(tf.logSumExp(logits, 1), tf.mean(logits, 1)));
      return tf.add(loss, ntXentWithRanks(z as tf.Tensor2D, { temperature: 0.1 }).loss) as tf.Scalar;
    };
    const variables = Object.values(p);
    const moments = [0, 1].map(() => variables.map((variable) => tf.variable(tf.zerosLike(variable))));
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2, decoupled: false };
    for (const step of [1, 2]) {
      const { value, grads } = tf.variableGrads(network, variables);
      const gradients = variables.map(({ name }) => grads[name]!);
      add(value, ...gradients);
      adamUpdate(
        variables,
        gradients,
        moments[0]!,
        moments[1]!,
        tf.tensor1d([1e-3, 1 - 0.9 ** step, 1 - 0.999 ** step]),
        options,
      );
    }
    add(...variables);
    const { grads } = tf.variableGrads(network, variables);
    const gradients = variables.map(({ name }) => grads[name]!);
    const lars = { momentum: 0.9, nesterov: true, flavour: 'popular' } as const;
    const perParameter = { weightDecays: variables.map(() => 0.1), trustCoefficients: variables.map(() => 0.01) };
    momentumUpdate(variables, gradients, moments[0]!, tf.tensor1d([0.1]), { ...lars, ...perParameter });
    add(...variables);
    tf.dispose([...variables, ...moments.flat()]);
    // every way of Winograd's algorithm, with tiles in several parts and groups
    for (const [n, h, w, c, o, stride] of [
      [16, 16, 16, 32, 48, 1],
      [40, 7, 6, 136, 144, 1],
      [9, 2, 2, 40, 48, 1],
      [16, 16, 15, 64, 72, 2],
      [50, 8, 8, 136, 144, 2],
    ] as const) {
      // biome-ignore format: a table
      const [x, filter] = [normal([n, h, w, c], 11), normal([3, 3, c, o], 12)];
      const f = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, 1);
      const y = f(x, filter);
      add(y, ...tf.grads(f)([x, filter], normal(y.shape, 13)));
    }
  });
  return hash.digest('hex');
}

describe('results', () => {
  it('are the same bit for bit with 1, 2 and 3 threads, on memory that is not shared, and when repeated', async () => {
    const hashes: string[] = [];
    for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 3 }, { sharedMemory: false }]) {
      await simdEngine.stop();
      expect(await simdEngine.start(options)).toMatchObject({ name: 'simd', threads: options.threads ?? 1 });
      hashes.push(hashOfTraining(), hashOfTraining());
    }
    expect(new Set(hashes).size).toBe(1);
  });

  it('satisfy <dy, conv(x, w)> = <dx, x> = <dw, w> on the shapes of a ResNet', async () => {
    await simdEngine.start();
    const shapes = [[64, 3, 64, 7, 2, 3], [16, 64, 64, 3, 1, 1], [16, 64, 128, 3, 2, 1], [16, 64, 128, 1, 2, 0], [8, 128, 128, 3, 1, 1], [8, 128, 256, 3, 2, 1], [4, 256, 256, 3, 1, 1], [4, 256, 512, 3, 2, 1], [4, 256, 512, 1, 2, 0], [2, 512, 512, 3, 1, 1]] as const; // biome-ignore format: a table
    for (const [size, c, o, k, stride, pad] of shapes) {
      tf.tidy(() => {
        const x = normal([8, size, size, c], 1);
        const w = normal([k, k, c, o], 2);
        const f = (a: tf.Tensor, b: tf.Tensor) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad);
        const y = f(x, w);
        const dy = normal(y.shape, 3);
        const [dx, dw] = tf.grads(f)([x, w], dy) as [tf.Tensor, tf.Tensor];
        const dot = (a: tf.Tensor, b: tf.Tensor) => {
          const [p, q] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
          return p.reduce((sum, value, i) => sum + value * q[i]!, 0);
        };
        const scale = Math.sqrt(dot(y, y) * dot(dy, dy));
        expect(Math.abs(dot(dy, y) - dot(dx, x)) / scale).toBeLessThan(1e-6);
        expect(Math.abs(dot(dy, y) - dot(dw, w)) / scale).toBeLessThan(1e-6);
      });
    }
  });
});

describe('batch normalisation in training', () => {
  beforeEach(async () => {
    await simdEngine.start();
  });

  it.each([[16], [3], [7], [72]])('agrees with its composition on the cpu backend, %i channels', async (c) => {
    const shape = [5, 4, 3, c];
    for (const relu of [false, true]) {
      for (const shortcut of [false, true]) {
        const run = async (backend: string) => {
          await tf.setBackend(backend);
          return tf.tidy(() => {
            const [x, residual, dy] = [tf.add(normal(shape, 1), 5), normal(shape, 2), normal(shape, 3)];
            const [gamma, beta] = [normal([c], 4), normal([c], 5)] as [tf.Tensor1D, tf.Tensor1D];
            const f = (...a: tf.Tensor[]) =>
              batchNormTrain(
                a[0]!,
                a[1] as tf.Tensor1D,
                a[2] as tf.Tensor1D,
                a[3] ? { relu, residual: a[3] } : { relu },
              ).output;
            const inputs = shortcut ? [x, gamma, beta, residual] : [x, gamma, beta];
            const { mean, variance } = batchNormTrain(x, gamma, beta);
            return [f(...inputs), mean, variance, ...tf.grads(f)(inputs, dy)].map((t) => t.dataSync());
          });
        };
        const [expected, got] = [await run('cpu'), await run('simd')];
        for (const [i, values] of got.entries()) {
          await expectClose(values, expected[i]!, { atol: 2e-5, rtol: 1e-5 });
        }
      }
    }
  });

  it('keeps the digits of a variance far from zero', async () => {
    const values = Float32Array.from({ length: 3000 * 5 }, (_, i) => 10_000 + (Math.floor(i / 5) % 2 === 0 ? 1 : -1));
    const x = tf.tensor2d(values, [3000, 5]);
    const { output, mean, variance } = batchNormTrain(x, tf.ones([5]), tf.zeros([5]));
    await expectClose(mean, new Array(5).fill(10_000));
    await expectClose(variance, new Array(5).fill(1), { atol: 1e-5 }); // a mean of squares would be off by 4 or more
    tf.dispose([x, output, mean, variance]);
  });
});

describe.each([{ sharedMemory: true }, { sharedMemory: false }])('memory, %o', (options) => {
  beforeAll(async () => {
    await simdEngine.stop();
    await simdEngine.start(options);
  });
  const bytes = () => tf.memory() as unknown as { wasmBytesInUse: number; wasmBytesReserved: number };

  it('is given back with the tensors', () => {
    const work = () =>
      tf.tidy(() => {
        const x = normal([4, 8, 8, 8], 1) as tf.Tensor4D;
        const f = (k: tf.Tensor) => tf.sum(tf.square(tf.conv2d(x, k as tf.Tensor4D, 1, 'same')));
        tf.grad(f)(normal([3, 3, 8, 8], 2)).dataSync();
      });
    work(); // job descriptors are kept
    const before = bytes().wasmBytesInUse;
    for (let i = 0; i < 5; i++) work();
    expect(bytes().wasmBytesInUse).toBe(before);
  });

  it('stays flat over hundreds of calls of changing shapes', () => {
    const sizes = Array.from({ length: 300 }, (_, i) => 3 + ((i * 7919) % 23));
    const round = () => {
      for (const size of sizes) {
        tf.tidy(() => {
          const x = tf.ones([2, size, size + 1, 4]) as tf.Tensor4D;
          tf.relu(tf.add(tf.conv2d(x, tf.ones([3, 3, 4, 8]), 1, 1), 1)).dataSync();
        });
      }
    };
    round();
    const before = { ...bytes() };
    round();
    round();
    expect(bytes().wasmBytesReserved).toBe(before.wasmBytesReserved);
    expect(bytes().wasmBytesInUse).toBe(before.wasmBytesInUse);
  });

  it('keeps one owner for each block where stock kernels hand on parts of their input', () => {
    const x = tf.add(tf.range(0, 64), 0);
    const part = tf.slice(x, [8], [4]);
    const strided = tf.stridedSlice(x, [0], [8], [2]);
    x.dispose();
    const over = tf.fill([64], -1); // takes the block that x has left
    expect(Array.from(part.dataSync())).toEqual([8, 9, 10, 11]);
    expect(Array.from(strided.dataSync())).toEqual([0, 2, 4, 6]);
    const read = over.dataSync();
    over.dispose();
    tf.zeros([64]);
    expect(read[0]).toBe(-1);
  });

  it('is not mixed up when it grows', () => {
    const [a, b] = [tf.add(tf.range(0, 1000), 0), tf.add(tf.range(0, 1000), 1)];
    const { wasmBytesReserved } = bytes();
    tf.fill([2 ** 23], 0).dispose(); // beyond the pages that are there
    expect(bytes().wasmBytesReserved).toBeGreaterThan(wasmBytesReserved);
    expect(Array.from(tf.floorDiv(b, tf.add(a, 1)).dataSync())).toEqual(Array(1000).fill(1)); // a stock kernel on both
    tf.dispose([a, b]);
  });

  it('moves tensors from and to other backends', async () => {
    const x = tf.add(tf.ones([3]), 1);
    await tf.setBackend('cpu');
    const y = tf.mul(x, 2);
    await tf.setBackend('simd');
    expect(Array.from(tf.add(x, y).dataSync())).toEqual([6, 6, 6]);
  });
});

describe('errors', () => {
  beforeEach(() => simdEngine.stop());
  afterEach(() => simdEngine.stop());

  it('say how much memory was asked for when there is no more', async () => {
    await simdEngine.start();
    expect(() => tf.fill([1100, 1024, 1024], 0)).toThrow(
      /^engine-simd: memory exhausted: 4400\.0 MiB more do not fit beside the [\d.]+ MiB in use \(at most 4096\.0 MiB\)\. Lower the batch size or the image size, or dispose tensors that are no longer needed\.$/,
    );
    expect(tf.add(tf.ones([2]), 1).dataSync()[0]).toBe(2); // and the engine goes on
  });

  it('say which batch to try when there is no more memory, and it fits', async () => {
    const train = async (rows: number) => {
      await simdEngine.stop();
      await simdEngine.start({ threads: 1, memoryLimit: 64 * 2 ** 20 });
      const filters = [3, 32, 32, 32].map((c, i) => tf.variable(tf.mul(normal([3, 3, c, 32], i + 1), 0.1)));
      return tf.tidy(() => {
        const x = tf.fill([rows, 32, 32, 3], 0.5) as tf.Tensor;
        const convolve = (h: tf.Tensor, w: tf.Tensor) =>
          tf.relu(tf.conv2d(h as tf.Tensor4D, w as tf.Tensor4D, 1, 'same')) as tf.Tensor;
        const { value } = tf.variableGrads(() => tf.mean(filters.reduce(convolve, x)) as tf.Scalar, filters);
        return value.dataSync()[0];
      });
    };
    await expect(train(96)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-simd: memory exhausted: 12.0 MiB more do not fit beside the 53.5 MiB in use (at most 64.0 MiB). Tensors of 96 rows, such as a batch of views has, take 49.1 MiB of this. At most 90 rows would have come this far, and what the rest of the step takes is not known here: try 24 rows, then half as many until a step runs; or lower the image size, or dispose tensors that are no longer needed.]`,
    );
    expect(await train(24)).toBeGreaterThan(0);
  });

  it('say that the engine has been stopped', async () => {
    await simdEngine.start();
    const x = tf.ones([2]);
    const onHeap = tf.add(x, 1);
    const variable = tf.variable(onHeap);
    await simdEngine.stop();
    expect(() => x.dataSync()).toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-simd: the engine has been stopped and its tensors are gone. Call \`await startEngine('simd')\` to start it again.]`,
    );
    const stopped = /^engine-simd: the engine has been stopped and its tensors are gone\./;
    expect(() => tf.add(onHeap, 1)).toThrow(stopped);
    expect(() => tf.grad((v) => tf.sum(tf.square(v)))(variable)).toThrow(stopped);
    await expect(onHeap.data()).rejects.toThrow(stopped);
    await simdEngine.start(); // and it starts again
    expect(tf.add(tf.ones([2]), 1).dataSync()[0]).toBe(2);
  });

  it('say what threads need where SharedArrayBuffer is missing', async () => {
    const { SharedArrayBuffer: original } = globalThis;
    try {
      Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
      expect(await simdEngine.probe()).toEqual({ available: true });
      await expect(simdEngine.start({ threads: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
        `[Error: simdEngine.start: 2 threads need SharedArrayBuffer, which is missing. In a browser, serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or use 1 thread.]`,
      );
      expect(await simdEngine.start()).toMatchObject({
        threads: 1,
        device: expect.stringMatching(/, 1 thread, memory not shared$/),
      });
    } finally {
      globalThis.SharedArrayBuffer = original;
    }
  });

  it('refuse threads and memory that cannot be', async () => {
    await expect(simdEngine.start({ sharedMemory: false, threads: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: simdEngine.start: threads must be 1 if sharedMemory is false, got 2. Leave one of the two out.]`,
    );
    await expect(simdEngine.start({ threads: 2, memoryLimit: 1000 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: simdEngine.start: memoryLimit must be from 3211264 bytes (with 2 threads) to 4294967296, got 1000. Leave it out for the largest.]`,
    );
  });

  it('refuse a number of threads that makes no sense', async () => {
    await expect(simdEngine.start({ threads: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: simdEngine.start: threads must be an integer in [1, 256], got 0. Leave it out for all processors.]`,
    );
    await expect(simdEngine.start({ threads: 1.5 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: simdEngine.start: threads must be an integer in [1, 256], got 1.5. Leave it out for all processors.]`,
    );
  });
});
