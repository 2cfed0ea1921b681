import { convolutionGeometry } from '@tfjs-ssl/ops';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDawn } from '../device/dawn.ts';
import { openDevice } from '../device/open-device.ts';
import { moduleText } from '../dispatch.ts';
import { Memory, type Value } from '../memory.ts';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from './convolution-products.ts';
import type { Arithmetic, Product } from './product.ts';
import { productShader } from './run-product.ts';
import { chooseSchedule, tilesFor } from './schedule.ts';

// Dawn's null device compiles WGSL for every feature, that of GPUs which are not here, too
let gpu: GPU | null;
let device: GPUDevice;
beforeAll(async () => {
  gpu = await openDawn(['backend=null'], false);
  const adapter = (await gpu?.requestAdapter()) as GPUAdapter;
  device = await openDevice({ gpu: gpu as GPU, adapter, software: false });
});
afterAll(() => device.destroy());

/** An H100. */
const matrix: Arithmetic = { kind: 'matrix', rows: 16, columns: 16, depth: 16, subgroup: 32 };
const limits = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 49152 };

/** Convolutions of ResNet-18 on 512 views of 64 pixels: side, channels, output channels, window, stride. */
const layers = [
  [64, 3, 64, 7, 2],
  [16, 64, 64, 3, 1],
  [16, 64, 128, 3, 2],
  [16, 64, 128, 1, 2],
  [8, 128, 128, 3, 1],
  [8, 128, 256, 3, 2],
  [8, 128, 256, 1, 2],
  [4, 256, 256, 3, 1],
  [4, 256, 512, 3, 2],
  [4, 256, 512, 1, 2],
  [2, 512, 512, 3, 1],
] as const;

/** What Dawn has to say against a product's code; `halves` are buffers that lie as float16. */
async function errorsOf(product: Product, arithmetic: Arithmetic, halves: readonly string[]): Promise<string[]> {
  const chosen = chooseSchedule(product, arithmetic, limits);
  const whole = tilesFor(arithmetic, limits).map((tile) => ({ ...chosen, tile, parts: 1 }));
  const found = [chosen, ...whole].map(async (schedule) => {
    const { buffers, enable, code } = productShader(product, schedule, halves.includes('result'));
    const values = buffers.flatMap(({ name, value }) =>
      value && halves.includes(name) ? [[name, value] as [string, Value]] : [],
    );
    const memory = new Memory(new Map(values));
    const access = (name: string) => (name === 'result' ? 'read_write' : 'read');
    const bindings = buffers.map((buffer) => ({ ...buffer, access: access(buffer.name) }) as const);
    const text = moduleText(bindings, [], new Set(['f16', ...enable]), memory, code(memory));
    device.pushErrorScope('validation');
    const { messages } = await device.createShaderModule({ code: text }).getCompilationInfo();
    await device.popErrorScope();
    return messages.filter(({ type }) => type === 'error').map(({ message }) => `${product.key}: ${message}`);
  });
  return (await Promise.all(found)).flat();
}

it.each([
  ['matrix units', matrix],
  ['float16', { kind: 'float16' }],
] as const)('all convolutions of ResNet-18 compile with every tile for %s', async (_, arithmetic) => {
  expect(device.features).toContain('chromium-experimental-subgroup-matrix');
  for (const [side, channels, outputChannels, window, stride] of layers) {
    const [shape, filter] = [[512, side, side, channels], [window, window, channels, outputChannels]] as const; // biome-ignore format: short
    const g = convolutionGeometry(shape, filter, { strides: stride, pad: window >> 1 })!;
    const images = channels % 4 === 0 ? ['left'] : [];
    const all = [
      [forwardProduct(g), [...images, 'result']],
      [forwardProduct(g, { bias: true, relu: true }), [...images, 'result']],
      [inputGradientProduct(g), ['left', ...(images.length > 0 ? ['result'] : [])]],
      [inputGradientProduct(g, true), ['left', ...(images.length > 0 ? ['result', 'addend'] : [])]],
      [filterGradientProduct(g), [...images, 'right']],
    ] as const;
    for (const [product, halves] of all) {
      expect(await errorsOf(product, arithmetic, halves)).toEqual([]);
      expect(await errorsOf(product, arithmetic, [])).toEqual([]);
    }
  }
});
