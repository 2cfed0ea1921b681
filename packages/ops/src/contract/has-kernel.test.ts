import * as tf from '@tensorflow/tfjs-core';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { hasKernel } from './has-kernel.ts';

describeEngines('hasKernel', () => {
  it('finds what the current backend implements, and nothing else', () => {
    expect(hasKernel('Conv2D')).toBe(true);
    expect(hasKernel('NoSuchKernel')).toBe(false);
  });

  it('asks the current backend', () => {
    const kernel = { kernelName: 'OnlyHere', backendName: tf.getBackend(), kernelFunc: () => [] };
    tf.registerKernel(kernel);
    expect(hasKernel('OnlyHere')).toBe(true);
    tf.unregisterKernel('OnlyHere', tf.getBackend());
    expect(hasKernel('OnlyHere')).toBe(false);
    tf.registerKernel({ ...kernel, backendName: 'another' });
    expect(hasKernel('OnlyHere')).toBe(false);
    tf.unregisterKernel('OnlyHere', 'another');
  });
});
