import { expect, it } from 'vitest';
import { findAdapter } from './find-adapter.ts';
import { softwareDriverFiles } from './software-drivers.ts';

it('finds a software driver that lies here, on a system without a Vulkan loader too', async ({ skip }) => {
  skip(softwareDriverFiles().length === 0, 'no software driver lies here');
  expect(await findAdapter({ software: true, dawnOptions: [], unchecked: false })).toHaveProperty('adapter');
});
