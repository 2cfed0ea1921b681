import { expect, it } from 'vitest';
import { findAdapter } from './find-adapter.ts';
import { softwareDriverFiles } from './software-drivers.ts';

it.skipIf(softwareDriverFiles().length === 0)(
  'finds a software driver that lies here, on a system without a Vulkan loader too',
  async () => {
    expect(await findAdapter({ software: true, dawnOptions: [], unchecked: false })).toHaveProperty('adapter');
  },
);
