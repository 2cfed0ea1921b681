import { expect, it, onTestFinished } from 'vitest';
import { Runtime } from '../runtime.ts';
import { agree } from '../variant-agreement.ts';
import { chooseVariant } from '../variants.ts';
import { runWinogradGradient } from './winograd.ts';
import { TILE, type WinogradShape } from './winograd-shape.ts';

it('finds the tiles of each part where parts times tiles need more than 31 bits', async () => {
  const runtime = await Runtime.start(await chooseVariant({ revectorize: false, shared: true, agree }), 2);
  onTestFinished(() => runtime.pool.stop());
  // Images of one pixel, a tile each, and 3168 parts: as many as two thirds of a gigabyte of larger images have.
  const [images, channels] = [704 * 1024, 8];
  const shape: WinogradShape = { kind: TILE, products: 36, factors: 36, sums: 36, tilesX: 1, tilesPerImage: 1 };
  const pixel = { height: 1, width: 1, outputHeight: 1, outputWidth: 1, top: 1, left: 1 };
  const filter = { filterHeight: 3, filterWidth: 3, strideY: 1, strideX: 1 };
  const geometry = { images, channels, outputChannels: channels, ...pixel, ...filter };
  const [size, weightSize] = [images * channels, 9 * channels * channels];
  runtime.withTemporary((2 * size + weightSize) * 4, (x) => {
    const [dy, weights] = [x + size * 4, x + 2 * size * 4];
    const [inputs, gradients] = [runtime.floats(x, size), runtime.floats(dy, size)];
    for (let i = 0; i < size; i++) {
      inputs[i] = 1 + (i % channels);
      gradients[i] = (1 + (i % channels)) / images;
    }
    runWinogradGradient(runtime, geometry, shape, x, dy, weights);
    const got = runtime.floats(weights, weightSize);
    for (let i = 0; i < weightSize; i++) {
      const [tap, input, output] = [Math.floor(i / channels ** 2), Math.floor(i / channels) % channels, i % channels];
      expect(got[i]).toBeCloseTo(tap === 4 ? (1 + input) * (1 + output) : 0, 3);
    }
  });
});
