import { describe, expect, it } from 'vitest';
import { layerShapes } from './layer-shapes.ts';

const convolutions = (network: 'resnet18' | 'resnet50') =>
  layerShapes(network, 64).reduce((sum, { count }) => sum + count, 0);

/** Multiply-adds of all convolutions for one image. */
const multiplyAdds = (network: 'resnet18' | 'resnet50', size: number) =>
  layerShapes(network, size).reduce((sum, l) => {
    const side = Math.floor((l.side + 2 * l.padding - l.window) / l.stride) + 1;
    return sum + l.count * side ** 2 * l.window ** 2 * l.channels * l.outputChannels;
  }, 0);

describe('layerShapes', () => {
  it('has the convolutions of the networks', () => {
    expect(convolutions('resnet18')).toBe(20);
    expect(convolutions('resnet50')).toBe(53);
    expect(layerShapes('resnet18', 64)[0]).toMatchObject({ name: '7x7/2 3>64 @64', padding: 3, count: 1 });
    expect(layerShapes('resnet18', 64).at(-1)).toMatchObject({ name: '3x3 512>512 @2', count: 3 });
  });

  it('has as many multiply-adds as are published for 224 pixels: 1.8 and 4.1 thousand million', () => {
    expect(multiplyAdds('resnet18', 224) / 1e9).toBeCloseTo(1.81, 2);
    expect(multiplyAdds('resnet50', 224) / 1e9).toBeCloseTo(4.09, 2);
  });
});
