import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { it } from 'vitest';
import { silu } from './silu.ts';

describeEngines('silu', () => {
  it('is x sigmoid(x)', async () => {
    const x = [-100, -5, -1, -1e-6, 0, 1e-6, 1, 5, 100];
    await expectClose(
      silu(tf.tensor1d(x)),
      x.map((value) => value / (1 + Math.exp(-value))),
      { atol: 1e-7, rtol: 1e-6 },
    );
  });

  it('has the right gradient', async () => {
    const weights = tf.randomNormal([64], 0, 1, 'float32', 2);
    await expectGradient(
      (x) => tf.sum(tf.mul(silu(x as tf.Tensor1D), weights)),
      [tf.mul(tf.randomNormal([64], 0, 1, 'float32', 1), 3)],
    );
  });

  it('gives back all memory', async () => {
    const x = tf.linspace(-3, 3, 8);
    await expectNoLeak(() => silu(x).dispose());
    await expectNoLeak(() =>
      tf
        .grad((xs) => tf.sum(silu(xs)))(x)
        .dispose(),
    );
  });
});
