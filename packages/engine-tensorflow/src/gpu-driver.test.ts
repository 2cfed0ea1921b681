import { expect, it } from 'vitest';
import { mayHaveGpu } from './gpu-driver.ts';

const system = (platform: NodeJS.Platform, arch: string, ...files: string[]) =>
  mayHaveGpu({ platform, arch, exists: (path) => files.includes(path) });

it('rules a GPU out only where the driver would have made a device that is not there', () => {
  expect(system('linux', 'x64', '/dev/dri/renderD128')).toBe(false);
  expect(system('linux', 'x64', '/dev/nvidiactl')).toBe(true);
  expect(system('linux', 'x64', '/dev/dxg')).toBe(true);
  expect(system('linux', 'arm64')).toBe(true);
  expect(system('win32', 'x64')).toBe(true);
});
