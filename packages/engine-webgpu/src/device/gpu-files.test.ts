import { expect, it } from 'vitest';
import { namesGpu } from './gpu-files.ts';

it.each([
  ['the kernel', ['null', 'dri/card0', 'dri/renderD128']],
  ['NVIDIA', ['nvidiactl', 'nvidia-uvm', 'nvidia0']],
  ['Windows', ['dxg']],
])('sees the GPU that %s shows', (_, files) => {
  expect(namesGpu(files)).toBe(true);
});

it('sees none in a display without a renderer, or a driver without a card', () => {
  expect(namesGpu(['null', 'dri/card0', 'nvidiactl', 'nvidia-caps'])).toBe(false);
  expect(namesGpu([])).toBe(false);
});
