import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrain, squeezeExcite } from '@tfjs-ssl/ops';
import { expectClose } from '@tfjs-ssl/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simdEngine } from './index.ts';

beforeAll(async () => {
  await simdEngine.start({ threads: Number(process.env.TFJS_SSL_THREADS ?? 2) });
});
afterAll(() => simdEngine.stop());

let seed = 0;
beforeEach(() => {
  seed = 0; // the same numbers in any order of the tests
});
const random = (shape: number[]): Float32Array =>
  tf.tidy(() => tf.randomUniform(shape, -1, 1, 'float32', ++seed).dataSync().slice() as Float32Array);

/** Runs a function of tensors on this engine and on the stock cpu backend and compares, relative to the largest value. */
async function expectAsStock(
  shapes: number[][],
  f: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
  tolerance = 1e-5,
): Promise<void> {
  const host = shapes.map(random);
  const run = async (backend: string) => {
    await tf.setBackend(backend);
    return tf.tidy(() => {
      const results = [f(...host.map((values, i) => tf.tensor(values.slice(), shapes[i] as number[])))].flat();
      return results.map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync().slice() }));
    });
  };
  const expected = await run('cpu');
  const got = await run('simd');
  expect(got.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  );
  for (const [i, { values }] of got.entries()) {
    const reference = expected[i]!.values as Float32Array;
    const largest = reference.reduce((max, v) => (Number.isFinite(v) ? Math.max(max, Math.abs(v)) : max), 1e-6);
    await expectClose(values as Float32Array, reference, { atol: tolerance * largest });
  }
}

describe('convolution', () => {
  // images, height, width, channels, output channels, filter height, filter width, strides, padding
  type Case = [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    [number, number],
    'same' | 'valid' | number | tf.backend_util.ExplicitPadding,
  ];
  const explicit: tf.backend_util.ExplicitPadding = [[0, 0], [2, 1], [0, 3], [0, 0]]; // biome-ignore format: one axis each
  const cases: Case[] = [
    [2, 9, 7, 3, 5, 3, 3, [1, 1], 'same'],
    [2, 9, 9, 8, 16, 3, 3, [2, 2], 'same'],
    [3, 8, 8, 12, 20, 3, 3, [2, 2], 1],
    [2, 16, 16, 3, 18, 7, 7, [2, 2], 3],
    [2, 15, 13, 3, 7, 7, 7, [2, 2], 3],
    [1, 5, 5, 17, 33, 1, 1, [1, 1], 0],
    [2, 6, 6, 16, 31, 1, 1, [2, 2], 0],
    [5, 2, 2, 64, 48, 3, 3, [1, 1], 1],
    [7, 4, 4, 32, 32, 3, 3, [1, 1], 1],
    [7, 1, 1, 40, 24, 3, 3, [1, 1], 1],
    [2, 7, 7, 10, 16, 5, 5, [1, 1], 'valid'],
    [2, 11, 8, 9, 16, 5, 5, [3, 3], 'same'],
    [2, 10, 10, 6, 8, 4, 4, [2, 2], 'valid'],
    [2, 8, 8, 300, 40, 3, 3, [1, 1], 1],
    [33, 3, 3, 24, 64, 3, 3, [1, 1], 1],
    [2, 8, 8, 32, 32, 3, 3, [1, 1], 1],
    [3, 10, 12, 64, 48, 3, 3, [1, 1], 'same'],
    [2, 8, 8, 8, 8, 1, 1, [3, 3], 'same'],
    [1, 20, 20, 4, 272, 3, 3, [1, 1], 1],
    [1, 33, 40, 1, 4, 3, 3, [1, 1], 'same'],
    [1, 3, 300, 5, 6, 3, 3, [1, 1], 'same'],
    [2, 9, 10, 6, 10, 2, 5, [3, 1], 'same'],
    [2, 9, 10, 12, 10, 3, 2, [1, 2], explicit],
    [2, 6, 6, 5, 3, 1, 3, [2, 3], 'valid'],
  ];
  it.each(cases)(
    '%i x %i x %i x %i to %i by %i x %i, strides %j, padding %j',
    async (n, h, w, c, o, kh, kw, strides, pad) => {
      const f = (x: tf.Tensor, k: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, strides, pad);
      await expectAsStock(
        [
          [n, h, w, c],
          [kh, kw, c, o],
        ],
        (x, k) => {
          const y = f(x!, k!);
          return [y, ...tf.grads(f)([x!, k!], tf.mul(y, 0.1))];
        },
      );
    },
  );

  it('leaves dilation to the stock kernel', async () => {
    await expectAsStock(
      [
        [2, 9, 9, 3],
        [3, 3, 3, 4],
      ],
      (x, k) => tf.conv2d(x as tf.Tensor4D, k as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    );
  });
});

describe('matrix product', () => {
  const transposed = [[false, false], [false, true], [true, false], [true, true]] as const; // biome-ignore format: a table
  it.each([
    [64, 512, 256],
    [7, 5, 3],
    [1, 100, 33],
    [130, 64, 130],
    [5, 1, 5],
    [33, 300, 1],
  ])('%i x %i x %i', async (m, k, n) => {
    for (const [ta, tb] of transposed) {
      await expectAsStock([ta ? [k, m] : [m, k], tb ? [n, k] : [k, n]], (a, b) =>
        tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, ta, tb),
      );
    }
  });

  it('of batches, with broadcasting', async () => {
    for (const [ta, tb] of transposed) {
      await expectAsStock([ta ? [3, 2, 6, 5] : [3, 2, 5, 6], tb ? [1, 1, 7, 6] : [1, 1, 6, 7]], (a, b) =>
        tf.matMul(a!, b!, ta, tb),
      );
    }
  });

  it('fused with bias and activation', async () => {
    for (const activation of ['linear', 'relu', 'sigmoid'] as const) {
      await expectAsStock([[9, 12], [12, 10], [10]], (a, b, bias) =>
        tf.fused.matMul({ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation }),
      );
    }
  });

  it('says which sizes do not agree', () => {
    expect(() =>
      tf
        .engine()
        .runKernel('BatchMatMul', { a: tf.ones([2, 3]), b: tf.ones([4, 5]) }, { transposeA: false, transposeB: false }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: matMul: b must have the inner size of a, 3 of shape [2, 3] with transposeA false, got 4 of shape [4, 5] with transposeB false. Transpose or reshape one of them.]`,
    );
  });
});

describe('element-wise functions', () => {
  it.each([[[7]], [[40, 50]], [[3, 1, 5]], [[70_001]]])('of one tensor of shape %j', async (shape) => {
    await expectAsStock([shape], (x) => {
      const positive = tf.add(tf.abs(x!), 0.01);
      return [
        ...[tf.relu(x!), tf.step(x!), tf.square(x!), tf.sqrt(positive), tf.rsqrt(positive), tf.neg(x!), tf.abs(x!)],
        ...[tf.reciprocal(positive), tf.exp(tf.mul(x!, 20)), tf.log(positive), tf.step(x!, 0.5)],
      ];
    });
  });

  it('treat the ends of the range as the stock kernels do', async () => {
    const values = [0, -0, 1, -1, 88.7, 88.8, 89, 1000, -87, -88, -100, -103, -105, -1000, Infinity, -Infinity, Number.NaN, 1e-40, 1e-38, 3e38]; // biome-ignore format: one line
    const run = async (backend: string) => {
      await tf.setBackend(backend);
      return tf.tidy(() => {
        const x = tf.tensor1d(values);
        return [tf.exp(x), tf.log(x), tf.relu(x), tf.step(x), tf.sqrt(x)].map((t) => Array.from(t.dataSync()));
      });
    };
    const expected = await run('cpu');
    const got = await run('simd');
    for (const [i, list] of got.entries()) {
      await expectClose(list, expected[i]!, { rtol: 1e-6, atol: 2e-45 });
    }
  });

  const broadcasts: Array<[number[], number[]]> = [
    [
      [40, 50],
      [40, 50],
    ],
    [[40, 50], []],
    [[], [6, 7]],
    [[40, 50], [50]],
    [
      [40, 50],
      [40, 1],
    ],
    [
      [1, 50],
      [40, 1],
    ],
    [
      [3, 4, 5, 6],
      [3, 1, 5, 1],
    ],
    [
      [3, 1, 5],
      [1, 4, 5],
    ],
    [
      [2, 3, 1, 7],
      [5, 1],
    ],
    [[1], [1, 1, 1]],
    [[300, 301], [301]],
    [
      [2, 40_000],
      [2, 1],
    ],
  ];
  it.each(broadcasts)('of two tensors of shapes %j and %j', async (a, b) => {
    await expectAsStock([a, b], (x, y) => [
      ...[
        tf.add(x!, y!),
        tf.sub(x!, y!),
        tf.mul(x!, y!),
        tf.div(x!, tf.add(y!, 3)),
        tf.maximum(x!, y!),
        tf.minimum(x!, y!),
      ],
      ...[tf.squaredDifference(x!, y!), tf.sub(y!, x!)],
    ]);
  });

  it.each(broadcasts)('compare two tensors of shapes %j and %j', async (a, b) => {
    await expectAsStock([a, b], (x, y) => {
      const [p, q] = [tf.round(tf.mul(x!, 2)), tf.round(tf.mul(y!, 2))];
      return [
        tf.less(p, q),
        tf.lessEqual(p, q),
        tf.greater(p, q),
        tf.greaterEqual(p, q),
        tf.equal(p, q),
        tf.notEqual(p, q),
      ];
    });
  });

  it('compare NaN as unequal to everything', async () => {
    await expectAsStock([[2]], (x) => {
      const nan = tf.tensor1d([Number.NaN, 1]);
      const compared = [tf.less, tf.lessEqual, tf.greater, tf.greaterEqual, tf.equal, tf.notEqual].map((f) =>
        f(nan, x!),
      );
      return [
        ...compared,
        tf.notEqual(nan, nan),
        tf.equal(tf.tensor1d([1, 2], 'int32'), 2),
        tf.cast(tf.equal(nan, nan), 'float32'),
      ];
    });
  });

  it('sum many tensors', async () => {
    await expectAsStock(
      [
        [5, 7],
        [5, 7],
        [5, 7],
      ],
      (a, b, c) => [tf.addN([a!, b!, c!]), tf.addN([a!, a!]), tf.addN([b!])],
    );
  });
});

describe('reductions', () => {
  const cases: Array<[number[], number[] | undefined]> = [
    [[7], undefined],
    [[70_001], undefined],
    [[40, 50], [1]],
    [[40, 50], [0]],
    [[3000, 64], [0]],
    [[3000, 17], [0]],
    [[2, 70_000], [0]],
    [[2, 70_000], [1]],
    [
      [4, 6, 6, 18],
      [1, 2],
    ],
    [
      [4, 6, 6, 18],
      [0, 1, 2],
    ],
    [
      [4, 6, 5, 18],
      [0, 2],
    ],
    [
      [4, 6, 5, 18],
      [1, 3],
    ],
    [
      [4, 1, 5, 1],
      [1, 3],
    ],
    [[128, 128], undefined],
    [
      [1, 1],
      [0, 1],
    ],
  ];
  it.each(cases)('of shape %j over %j', async (shape, axes) => {
    await expectAsStock([shape], (x) => [
      ...[tf.sum(x!, axes), tf.mean(x!, axes), tf.max(x!, axes)],
      ...[tf.sum(x!, axes, true), tf.max(x!, axes, true)],
    ]);
  });

  it('keep their digits over long rows', () => {
    const n = 1 << 20;
    expect(tf.tidy(() => tf.mean(tf.add(tf.fill([n], 1000), 0.1)).dataSync()[0])).toBeCloseTo(1000.1, 2);
  });
});

describe('what only moves values', () => {
  it.each([
    [
      [5, 7],
      [1, 0],
    ],
    [
      [128, 130],
      [1, 0],
    ],
    [
      [3, 5, 7],
      [0, 2, 1],
    ],
    [
      [3, 5, 7],
      [2, 0, 1],
    ],
    [
      [3, 5, 7],
      [1, 2, 0],
    ],
    [
      [3, 5, 7],
      [2, 1, 0],
    ],
    [
      [2, 1, 6, 4],
      [3, 1, 0, 2],
    ],
    [
      [2, 6, 5, 4],
      [0, 3, 1, 2],
    ],
    [[6], [0]],
    [
      [2, 3, 4],
      [0, 1, 2],
    ],
  ])(
    // biome-ignore format: a table
    'transposes %j by %j',
    async (shape, permutation) => {
      await expectAsStock([shape], (x) => tf.transpose(x!, permutation));
    },
  );

  it('slices and concatenates', async () => {
    await expectAsStock(
      [
        [6, 5, 4],
        [2, 5, 4],
      ],
      (x, y) => [
        ...[tf.slice(x!, [2, 0, 0], [3, 5, 4]), tf.slice(x!, [1, 1, 1], [2, 2, 2]), tf.slice(x!, [4], [-1])],
        ...[tf.concat([x!, y!]), tf.concat([x!, x!], 2), tf.stack([x!, x!]), ...tf.split(x!, 3)],
      ],
    );
  });

  it('tiles, pads, reverses and broadcasts', async () => {
    await expectAsStock(
      [
        [3, 1, 5],
        [2, 3, 4, 5],
      ],
      (x, y) => [
        ...[
          tf.tile(x!, [2, 3, 1]),
          tf.tile(x!, [1, 1, 4]),
          tf.tile(y!, [1, 2, 1, 3]),
          tf.broadcastTo(x!, [2, 3, 7, 5]),
        ],
        ...[tf.pad(x!, [[1, 0], [0, 2], [3, 1]], 7), tf.pad(y!, [[0, 0], [1, 1], [2, 0], [0, 0]])], // biome-ignore format: one axis each
        ...[tf.reverse(y!, [1, 3]), tf.reverse(x!, 0), tf.reverse(y!)],
        ...[tf.slice(y!, [1, 0, 2, 1], [1, 3, 2, 3]), tf.concat([y!, y!, y!], 1), tf.stack([x!, x!], 2)],
      ],
    );
  });

  it('casts without sharing memory between types', async () => {
    await expectAsStock([[3]], () => {
      const integers = tf.tensor1d([1, 2, 3], 'int32');
      const floats = tf.cast(integers, 'float32');
      return [tf.mul(floats, 0.5), integers, tf.cast(tf.greater(floats, 1.5), 'float32'), tf.cast(floats, 'int32')];
    });
  });

  it('fills', async () => {
    await expectAsStock([[3, 5]], (x) => [tf.zerosLike(x!), tf.onesLike(x!), tf.fill([2, 3], 7.5), tf.zeros([4])]);
  });
});

describe('pooling', () => {
  it.each([
    [[2, 32, 32, 8], 3, 2, 1],
    [[2, 9, 11, 4], 2, 2, 'same'],
    [[2, 9, 11, 3], 3, 2, 'same'],
    [[1, 7, 6, 6], [2, 3], [1, 2], 'valid'],
  ] as Array<
    [[number, number, number, number], number | [number, number], number | [number, number], 'same' | 'valid' | number]
  >)('maximum of %j by %j, strides %j, padding %j', async (shape, size, strides, pad) => {
    const f = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, size, strides, pad);
    await expectAsStock([shape], (x) => [f(x!), tf.grad((t) => f(tf.relu(t)))(x!, f(x!))]);
  });
});

describe('mean over windows', () => {
  it.each([
    [[2, 8, 8, 8], 2, 2, 'valid'],
    [[2, 9, 11, 21], 3, 2, 'same'],
    [[2, 7, 7, 3], 3, 1, 'same'],
    [[1, 7, 6, 70], [2, 3], [3, 1], 'valid'],
  ] as Array<
    [[number, number, number, number], number | [number, number], number | [number, number], 'same' | 'valid' | number]
  >)('of %j by %j, strides %j, padding %j', async (shape, size, strides, pad) => {
    const f = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, size, strides, pad);
    await expectAsStock([shape], (x) => [f(x!), tf.grad((t) => f(tf.relu(t)))(x!, f(x!))]);
  });
});

describe('depthwise convolution', () => {
  it.each([
    // images, height, width, channels, multiplier, filter height, filter width, strides, padding, dilations
    [3, 9, 7, 16, 1, 3, 3, 1, 'same', 1],
    [2, 12, 12, 21, 1, 3, 3, 2, 'same', 1],
    [40, 5, 5, 3, 1, 5, 5, 1, 'same', 1],
    [2, 8, 8, 70, 1, 3, 2, [2, 1], 'valid', 1],
    [2, 9, 9, 5, 2, 3, 3, 1, 'same', 1],
    [2, 10, 8, 6, 3, 3, 3, 2, 'valid', 1],
    [2, 11, 12, 8, 1, 3, 3, 1, 'same', 2],
    [1, 4, 4, 4, 1, 7, 7, 1, 'same', 1],
    // as EfficientNets have them: tiles inside, single pixels at the ends, and maps smaller than their window
    [3, 32, 32, 32, 1, 3, 3, 1, 'same', 1],
    [2, 9, 13, 24, 1, 5, 5, 2, 2, 1],
    [2, 8, 8, 44, 1, 5, 5, 1, 'same', 1],
    [2, 7, 11, 13, 1, 3, 3, 2, 1, 1],
    [40, 2, 2, 48, 1, 5, 5, 1, 'same', 1],
    [3, 2, 2, 48, 1, 5, 5, 2, 2, 1],
    [2, 6, 9, 16, 2, 3, 3, 1, 2, 1],
    [2, 5, 6, 40, 1, 5, 5, 1, 0, 1],
  ] as Array<
    [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number | [number, number],
      'same' | 'valid' | number,
      number,
    ]
  >)(
    '%i x %i x %i x %i, %i filters each of %i x %i, strides %j, padding %j, dilation %i',
    async (images, height, width, channels, multiplier, filterHeight, filterWidth, strides, pad, dilation) => {
      const shapes = [
        [images, height, width, channels],
        [filterHeight, filterWidth, channels, multiplier],
      ];
      const f = (x: tf.Tensor, w: tf.Tensor) =>
        tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, 'NHWC', dilation);
      await expectAsStock(shapes, (x, w) => {
        const y = f(x!, w!);
        if (dilation > 1) return y; // TensorFlow.js has no gradient of it
        return [y, ...tf.grads((a: tf.Tensor, b: tf.Tensor) => f(a, b))([x!, w!], y)];
      });
    },
  );
});

describe('depthwise convolution of random shapes', () => {
  const below = (i: number, n: number) => Math.floor((Math.abs(Math.sin(12.9898 * (i + 1)) * 43758.5453) % 1) * n);
  const cases = Array.from({ length: 24 }, (_, i) => ({
    ...{ images: 1 + below(7 * i, 40), height: 1 + below(7 * i + 1, 20), width: 1 + below(7 * i + 2, 20) },
    ...{ channels: 1 + below(7 * i + 3, 80), size: [3, 5][i % 2]!, stride: 1 + below(7 * i + 4, 2) },
  }));
  it.each(cases)('%j', async ({ images, height, width, channels, size, stride }) => {
    const f = (x: tf.Tensor, w: tf.Tensor) =>
      tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, (size - 1) / 2);
    const shapes = [[images, height, width, channels], [size, size, channels, 1]]; // biome-ignore format: one line
    await expectAsStock(shapes, (x, w) => {
      const y = f(x!, w!);
      return [y, ...tf.grads((a: tf.Tensor, b: tf.Tensor) => f(a, b))([x!, w!], y)];
    });
  });
});

describe('batch norm with SiLU, and the gate', () => {
  it.each([
    [5, 4, 3, 16],
    [3, 1, 1, 3],
    [70, 9, 9, 24],
    [2, 33, 5, 71],
    [4, 2, 2, 1152],
  ])('of %i x %i x %i x %i', async (...shape) => {
    const [, , , channels] = shape;
    await expectAsStock([shape, [channels], [channels]], (x, gamma, beta) => {
      const normal = (...a: tf.Tensor[]) =>
        batchNormTrain(a[0]!, a[1] as tf.Tensor1D, a[2] as tf.Tensor1D, { silu: true }).output;
      const inputs = [tf.add(x!, 3), tf.mul(gamma!, 4), beta!];
      return [normal(...inputs), ...tf.grads(normal)(inputs, x!)];
    });
    const squeezed = 4;
    const shapes = [shape, [channels, squeezed], [squeezed], [squeezed, channels], [channels], shape];
    await expectAsStock(shapes, (...inputs) => {
      const gate = (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, d: tf.Tensor) =>
        squeezeExcite(x as tf.Tensor4D, {
          ...{ squeeze: a as tf.Tensor2D, squeezeBias: b as tf.Tensor1D },
          ...{ excite: c as tf.Tensor2D, exciteBias: d as tf.Tensor1D },
        });
      const given = inputs.slice(0, 5) as Parameters<typeof gate>;
      return [gate(...given), ...tf.grads(gate as (...a: tf.Tensor[]) => tf.Tensor)(given, inputs[5]!)];
    });
  });

  it('keeps what is far from zero finite, and NaN as it is', async () => {
    await tf.setBackend('simd');
    const x = tf.tensor2d([[-1e10, -100, -90, 0], [1e10, 100, 90, 1]]); // biome-ignore format: a table
    const wide = [tf.fill([4], 1e30), tf.zeros([4])] as [tf.Tensor1D, tf.Tensor1D];
    const values = await batchNormTrain(x, ...wide, { silu: true }).output.data();
    expect([...values].every(Number.isFinite)).toBe(true);
    const spoilt = tf.tensor2d([[Number.NaN, 1], [1, 2]]); // biome-ignore format: a table
    const [a, b, c, d] = await batchNormTrain(spoilt, tf.ones([2]), tf.zeros([2]), { silu: true }).output.data();
    expect([a, c]).toEqual([Number.NaN, Number.NaN]);
    expect([b, d].every(Number.isFinite)).toBe(true);
  });
});

describe('fused kernels', () => {
  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
  it.each(activations)('finish with %s', async (activation) => {
    const shapes = [[2, 6, 6, 8], [3, 3, 8, 12], [3, 3, 8, 1], [12], [8], [12], [8], [30, 8], [8, 12]];
    await expectAsStock(shapes, (x, filter, depthwise, bias, biasOf8, slopes, slopesOf8, a, b) => {
      const prelu = (weights: tf.Tensor) => (activation === 'prelu' ? { preluActivationWeights: weights } : {});
      const window = { strides: 1, pad: 'same', activation, leakyreluAlpha: 0.3 } as const;
      const image = x as tf.Tensor4D;
      return [
        tf.fused.conv2d({ x: image, filter: filter as tf.Tensor4D, bias: bias!, ...window, ...prelu(slopes!) }),
        tf.fused.conv2d({ x: image, filter: filter as tf.Tensor4D, ...window, ...prelu(slopes!) }),
        tf.fused.depthwiseConv2d({
          ...{ x: image, filter: depthwise as tf.Tensor4D, bias: biasOf8! },
          ...{ ...window, ...prelu(slopesOf8!) },
        }),
        tf.fused.matMul({
          ...{ a: a as tf.Tensor2D, b: b as tf.Tensor2D, bias: bias!, activation, leakyreluAlpha: 0.3 },
          ...prelu(slopes!),
        }),
      ];
    });
  });

  it('take the softmax', async () => {
    await expectAsStock([[30, 10], [4, 3, 1000], [7]], (a, b, c) => [
      ...[tf.softmax(a!), tf.softmax(tf.mul(b!, 100)), tf.softmax(c!)],
      ...[tf.logSoftmax(a!), tf.grad((x) => tf.softmax(x))(a!, a!)],
    ]);
  });
});

describe('batch normalisation in evaluation', () => {
  it.each([16, 3, 7])('of %i channels', async (c) => {
    await expectAsStock([[4, 5, 6, c], [c], [c], [c], [c]], (x, mean, variance, offset, scale) => [
      tf.batchNorm(
        x!,
        mean as tf.Tensor1D,
        tf.square(variance as tf.Tensor1D),
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-5,
      ),
      tf.batchNorm(x!, mean as tf.Tensor1D, tf.square(variance as tf.Tensor1D)),
    ]);
  });
});

it('splits along any axis', async () => {
  await expectAsStock(
    [
      [6, 4, 3, 5],
      [7, 3],
    ],
    (x, y) => [
      ...[tf.split(x!, 2), tf.split(x!, 4, 1), tf.split(x!, [1, 2], 2), tf.split(x!, [2, -1, 1], -1)].flat(),
      ...[tf.split(y!, [3, 0, 4]), tf.split(tf.reshape(y!, [21]), 3)].flat(),
      ...tf.split(tf.cast(tf.mul(x!, 100), 'int32'), 3),
    ],
  );
  const [ours, stock] = ['simd', 'cpu'].map((backend) => tf.getKernel('SplitV', backend)?.kernelFunc);
  expect(ours).not.toBe(stock);
});
