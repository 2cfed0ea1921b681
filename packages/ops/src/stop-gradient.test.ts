import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { stopGradient } from './stop-gradient.ts';

describeEngines('stopGradient', () => {
  it('is the value, and a constant to the gradient', async () => {
    const x = tf.tensor1d([1, -2, 3]);
    await expectClose(
      stopGradient(() => tf.square(x)),
      [1, 4, 9],
      {},
    );
    await expectClose(
      tf.grad((y: tf.Tensor) =>
        tf.sum(
          tf.mul(
            y,
            stopGradient(() => tf.square(y)),
          ),
        ),
      )(x),
      [1, 4, 9],
      {},
    );
  });

  it('stops the gradient of a tensor that is there, and of no other use of it', async () => {
    const gradient = tf.grad((x: tf.Tensor) => {
      const y = tf.mul(x, 5);
      return tf.add(
        tf.mul(
          stopGradient(() => y),
          x,
        ),
        y,
      ); // 5 x as a constant times x, and 5 x
    });
    await expectClose(gradient(tf.scalar(3)), [15 + 5], {});
  });

  it('lets the variables of variableGrads be, and those that it changes change', async () => {
    const [w, target] = [tf.variable(tf.scalar(2)), tf.variable(tf.scalar(3))];
    const seen = tf.variable(tf.scalar(0), false);
    const { value, grads } = tf.variableGrads(() => {
      const teacher = stopGradient(() => {
        seen.assign(tf.mul(w, 10));
        return tf.mul(target, w);
      });
      return tf.mul(w, teacher) as tf.Scalar;
    }, [w]);
    await expectClose(value, [12], {});
    await expectClose(grads[w.name] as tf.Tensor, [6], {});
    await expectClose(seen, [20], {});
  });

  it('frees what it makes, under a gradient and without one', async () => {
    const x = tf.ones([4]);
    const made = tf.memory().numTensors;
    const constant = stopGradient(() => tf.exp(tf.square(x)));
    expect(tf.memory().numTensors).toBe(made + 1);
    constant.dispose();
    const loss = (y: tf.Tensor) =>
      tf.sum(
        tf.mul(
          y,
          stopGradient(() => tf.exp(y)),
        ),
      );
    await expectNoLeak(() => tf.grad(loss)(x).dispose());
    expect(tf.tidy(() => stopGradient(() => x)) === x).toBe(false);
  });
});
