import * as tf from '@tensorflow/tfjs-core';
import { convolutionGeometry } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { narrow } from '../../test-support/narrow.ts';
import { expectAsReference, gpu } from '../../test-support/reference.ts';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from './convolution-products.ts';
import type { Arithmetic, Schedule, Tile } from './product.ts';
import { runProduct } from './run-product.ts';
import { tilesFor } from './schedule.ts';

describeEngines('a product with every tile', () => {
  const [input, filter] = [[2, 9, 10, 12], [3, 3, 12, 20]]; // biome-ignore format: short
  const attributes = { strides: 2, pad: 1 };
  const g = convolutionGeometry(input!, filter!, attributes)!;
  const output = [g.images, g.outputHeight, g.outputWidth, g.outputChannels];
  const f = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 1);
  const products = [
    [forwardProduct(g), (x, w) => [x, w], output],
    [inputGradientProduct(g), (_, w, dy) => [dy, w], input],
    [filterGradientProduct(g), (x, _, dy) => [x, dy], filter],
  ] as const satisfies ReadonlyArray<
    readonly [object, (...all: tf.Tensor[]) => (tf.Tensor | undefined)[], number[] | undefined]
  >;

  /** Every product once per tile, split or not in turns; where activations lie as float16, so do results but the filter's gradient. */
  async function checkTiles(arithmetic: Arithmetic, tolerance: number, half = false): Promise<void> {
    const all = tilesFor(arithmetic, gpu().device.limits);
    expect(all.length).toBeGreaterThan(2);
    // a software driver compiles many small matrices for minutes
    const area = arithmetic.kind === 'matrix' ? 8 * arithmetic.rows * arithmetic.columns : Infinity;
    const compiled = all.filter(({ threadRows, threadColumns }) => threadRows * threadColumns <= area);
    const tiles = half ? compiled.slice(-2) : compiled;
    const schedule = (tile: Tile, i: number): Schedule => ({ tile, parts: i % 2 ? 3 : 1, arithmetic });
    const run = ([x, w, dy]: tf.Tensor[]) =>
      tiles.flatMap((tile, t) =>
        products.map(([product, operands, shape], p) => {
          const [left, right] = operands(half ? narrow(x!) : x!, w!, half ? narrow(dy!) : dy!) as [
            tf.Tensor,
            tf.Tensor,
          ];
          const options = { half: half && shape !== filter, schedule: schedule(tile, t + p) };
          const result = runProduct(gpu(), product, { left, right }, shape!, options);
          expect([left, right, result].filter(({ dataId }) => gpu().isHalf(dataId))).toHaveLength(half ? 2 : 0);
          return tf.engine().makeTensorFromTensorInfo(result);
        }),
      );
    const compose = ([x, w, dy]: tf.Tensor[]) => {
      const once = [f(x!, w!), ...tf.grads(f)([x!, w!], dy!)];
      return tiles.flatMap(() => once.map((t) => t.clone()));
    };
    await expectAsReference([input!, filter!, output], run, { tolerance, compose });
  }

  it('is what it is in float32', async () => {
    await checkTiles({ kind: 'float32' }, 1e-5);
  });

  it('is what it is with operands in float16', async () => {
    if (gpu().device.features.has('shader-f16')) await checkTiles({ kind: 'float16' }, 2e-3);
  });

  it('is what it is with activations that lie as float16', async () => {
    if (gpu().device.features.has('shader-f16')) await checkTiles({ kind: 'float16' }, 2e-3, true);
  });

  it('is what it is on matrix units', async () => {
    const { matrixUnit } = gpu();
    if (matrixUnit) await checkTiles({ kind: 'matrix', ...matrixUnit }, 2e-3);
  });

  it('is what it is on matrix units with activations that lie as float16', async () => {
    const { matrixUnit } = gpu();
    if (matrixUnit) await checkTiles({ kind: 'matrix', ...matrixUnit }, 2e-3, true);
  });
});
