import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { dino, dinoCenter } from './index.ts';

const logits = (rows: number, seed = 1) => tf.randomNormal<tf.Rank.R2>([rows, 4], 0, 1, 'float32', seed);
const center = () => tf.tensor1d([0.3, -0.2, 0, 1]);

const softmax = (row: number[]) => {
  const largest = Math.max(...row);
  const e = row.map((value) => Math.exp(value - largest));
  return e.map((value) => value / e.reduce((sum, other) => sum + other, 0));
};

/** The loss in double precision, pair of views by pair, as algorithm 1 has it. */
function reference(student: number[][], teacher: number[][], centre: number[], views: number, ts: number, tt: number) {
  const images = student.length / views;
  const losses: number[] = [];
  for (let a = 0; a < teacher.length / images; a++) {
    for (let v = 0; v < views; v++) {
      if (v === a) continue;
      for (let n = 0; n < images; n++) {
        const target = softmax(teacher[a * images + n]!.map((value, k) => (value - centre[k]!) / tt));
        const prediction = softmax(student[v * images + n]!.map((value) => value / ts));
        losses.push(target.reduce((sum, t, k) => sum - t * Math.log(prediction[k]!), 0));
      }
    }
  }
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

describeEngines('dino', () => {
  it('equals a case worked by hand', async () => {
    // Less the center the teacher says [0, log 3] at temperature 1 for both views: 1/4 and 3/4.
    const teacher = tf.tensor2d([
      [5, 2 + Math.log(3)],
      [6, 3 + Math.log(3)],
    ]);
    const student = tf.tensor2d([
      [0, 0],
      [0, 1],
    ]);
    const value = dino(student, teacher, { center: tf.tensor1d([5, 2]), teacherTemperature: 1, studentTemperature: 1 });
    const ofView1 = Math.log(1 + Math.E) - 3 / 4;
    await expectClose(value, [(Math.LN2 + ofView1) / 2], { rtol: 1e-6 });
  });

  // Views of the student, and of the teacher.
  it.each([
    [2, 2],
    [2, 1],
    [6, 2],
  ])('equals the formula for %i views, %i of the teacher', async (views, seen) => {
    const [student, teacher, c] = [logits(3 * views), logits(3 * seen, 2), center()];
    const expected = reference(
      (await student.array()) as number[][],
      (await teacher.array()) as number[][],
      await c.array(),
      ...([views, 0.1, 0.04] as const),
    );
    const loss = () => dino(student, teacher, { center: c, teacherTemperature: 0.04, views });
    await expectClose([await numberOf(loss)], [expected], { rtol: 1e-5 });
    const withTensor = () => dino(student, teacher, { center: c, teacherTemperature: tf.scalar(0.04), views });
    await expectClose([await numberOf(withTensor)], [await numberOf(loss)], { rtol: 1e-6 });
  });

  it('has the gradient of its differences', async () => {
    const teacher = logits(8, 2);
    const options = { center: center(), teacherTemperature: 0.1, studentTemperature: 0.5, views: 3 };
    await expectGradient((x) => dino(x as tf.Tensor2D, teacher, options), [logits(12)]);
  });

  it('sends no gradient to the side of the teacher', async () => {
    const [x, c] = [logits(6), center()];
    const constant = x.clone();
    const options = { center: c, teacherTemperature: 0.1 };
    const both = await valuesOf(() => tf.grad((z) => dino(z as tf.Tensor2D, tf.mul(z, 2) as tf.Tensor2D, options))(x));
    const one = () => tf.grad((z) => dino(z as tf.Tensor2D, tf.mul(constant, 2) as tf.Tensor2D, options))(x);
    await expectClose(both, await valuesOf(one), {});
  });

  it('does not change with a shift of the teacher and its center, nor of a row of the student', async () => {
    const [student, teacher, c] = [logits(6), logits(6, 2), center()];
    const plain = await numberOf(() => dino(student, teacher, { center: c, teacherTemperature: 0.1 }));
    const shift = tf.tensor1d([1, 2, -3, 0.5]);
    const moved = () =>
      dino(tf.add(student, tf.reshape(tf.range(0, 6), [6, 1])), tf.add(teacher, shift), {
        ...{ center: tf.add(c, shift), teacherTemperature: 0.1 },
      });
    await expectClose([await numberOf(moved)], [plain], { rtol: 1e-5 });
  });

  it('is right where exponentials overflow', async () => {
    const [student, teacher] = [
      tf.tensor2d([
        [100, 0],
        [0, 100],
      ]),
      tf.tensor2d([
        [100, 0],
        [100, 0],
      ]),
    ];
    const options = { center: tf.zeros<tf.Rank.R1>([2]), teacherTemperature: 0.01 };
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => dino(x as tf.Tensor2D, teacher, options))(student);
    await expectClose(value, [500], { rtol: 1e-6 });
    await expectClose(grad, [0, 0, -5, 5], { rtol: 1e-6 });
  });

  it('leaves no tensors behind', async () => {
    const [student, teacher] = [logits(6), logits(4, 2)];
    const options = { center: center(), teacherTemperature: 0.1, views: 3 };
    await expectNoLeak(() => {
      dino(student, teacher, options).dispose();
      tf.grad((x) => dino(x as tf.Tensor2D, teacher, options))(student).dispose();
    });
  });
});

describeEngines('dinoCenter', () => {
  it('moves to the mean of all rows', async () => {
    const teacher = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    await expectClose(dinoCenter(tf.tensor1d([1, 1]), teacher), [1.1, 1.2], { rtol: 1e-6 });
    await expectClose(dinoCenter(tf.tensor1d([1, 1]), teacher, { momentum: 0 }), [2, 3], { rtol: 1e-6 });
    await expectClose(dinoCenter(tf.tensor1d([1, 1]), teacher, { momentum: 1 }), [1, 1], { rtol: 1e-6 });
  });

  it('is a constant to the tape, and leaves no tensors behind', async () => {
    const [c, teacher] = [center(), logits(4)];
    const gradients = tf.grads((a, b) => tf.sum(dinoCenter(a as tf.Tensor1D, b as tf.Tensor2D)))([c, teacher]);
    await expectClose(gradients[0]!, new Float32Array(4), {});
    await expectClose(gradients[1]!, new Float32Array(16), {});
    await expectNoLeak(() => dinoCenter(c, teacher).dispose());
  });
});

describe('dino refuses', () => {
  const options = { center: tf.zeros<tf.Rank.R1>([4]), teacherTemperature: 0.04 };

  it('what does not fit', () => {
    const call =
      (student: number[], teacher: number[], other = {}) =>
      () =>
        dino(tf.ones(student as [number, number]), tf.ones(teacher as [number, number]), { ...options, ...other });
    expect(call([7, 4], [2, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: student must have a multiple of 2 rows, one per view of each image, got 7. Concatenate the views, and pass their number as views.]`,
    );
    expect(call([8, 4], [8, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: teacher must have rows of 4 elements, got shape [8, 3]. Use heads of one output size for all vectors.]`,
    );
    expect(call([8, 4], [3, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: teacher must have 4 rows, one per image, for each of 1 to 2 views, got 3. Pass the first views of the same images.]`,
    );
    expect(call([8, 4], [8, 4], { center: tf.zeros([1, 4]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: center must have shape [4], one value per column of teacher, got [1, 4]. Start with tf.zeros.]`,
    );
    expect(call([8, 4], [8, 4], { center: tf.zeros([4], 'int32') })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: dino: center must be float32, got int32. Start with tf.zeros.]`,
    );
    expect(call([8, 4], [8, 4], { teacherTemperature: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: teacherTemperature must be a finite number above 0, got 0. The paper takes 0.04 to 0.07.]`,
    );
    expect(call([8, 4], [8, 4], { teacherTemperature: tf.ones([2]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: teacherTemperature must be a number or a float32 scalar, got float32 of shape [2]. Pass one temperature for all rows.]`,
    );
    expect(call([8, 4], [8, 4], { studentTemperature: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: studentTemperature must be a finite number above 0, got -1. The paper takes 0.1.]`,
    );
    expect(call([8, 4], [8, 4], { views: 2.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dino: views must be an integer of at least 2, got 2.5. Each view is predicted from the others.]`,
    );
  });

  it('a center that does not fit', () => {
    const teacher = tf.ones<tf.Rank.R2>([2, 4]);
    expect(() => dinoCenter(tf.zeros([3]), teacher)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoCenter: center must have shape [4], one value per column of teacher, got [3]. Start with tf.zeros.]`,
    );
    expect(() => dinoCenter(options.center, teacher, { momentum: 1.1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoCenter: momentum must be a finite number in [0, 1], got 1.1. It is the share of the old center: 0.9.]`,
    );
  });
});
