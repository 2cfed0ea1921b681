import { expect, it } from 'vitest';
import { loadAddon, prepareEnvironment, restoreUtil } from './load-addon.ts';

it('lets GPU memory grow and TensorFlow be quiet, unless the user wants it otherwise', () => {
  const environment: NodeJS.ProcessEnv = {};
  prepareEnvironment(environment);
  expect(environment).toEqual({ TF_FORCE_GPU_ALLOW_GROWTH: 'true', TF_CPP_MIN_LOG_LEVEL: '1' });
  const own = { TF_FORCE_GPU_ALLOW_GROWTH: 'false', TF_CPP_MIN_LOG_LEVEL: '0' };
  prepareEnvironment(own);
  expect(own).toEqual({ TF_FORCE_GPU_ALLOW_GROWTH: 'false', TF_CPP_MIN_LOG_LEVEL: '0' });
});

it('puts back what Node 23 removed from util, and leaves what is there', () => {
  const isArray = () => true;
  const bare: { isNullOrUndefined?: (value: unknown) => boolean; isArray: () => boolean } = { isArray };
  restoreUtil(bare);
  expect([null, undefined, 0, ''].map((value) => bare.isNullOrUndefined?.(value))).toEqual([true, true, false, false]);
  expect(bare.isArray).toBe(isArray);
});

it('says why an addon cannot be loaded', () => {
  const addon = {
    packageName: '@tensorflow/tfjs-node',
    folder: '/nowhere',
    version: '4.22.0',
    path: '/nowhere/tfjs_binding.node',
    built: false,
    link: null,
  };
  // Where the addon of this project is loaded already, it stays.
  const found = loadAddon(addon);
  if ('problem' in found) expect(found.problem).toContain('installed without its native addon');
  else expect(found.binding.TF_Version).toMatch(/^2\./);
});
