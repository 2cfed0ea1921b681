import { expect, it } from 'vitest';
import { BatchAdvice } from './batch-advice.ts';

const MiB = 2 ** 20;

it('works out how many rows would have come as far', () => {
  const advice = new BatchAdvice();
  advice.count(64, 10 * MiB); // weights
  advice.count(512, 70 * MiB);
  advice.count(512, 20 * MiB);
  // 90 of 100 are there for 512 rows; beside the 10, 80 of them and of the 10 wanted fit: 512 * 80 / 100
  expect(advice.advise({ limit: 90 * MiB, used: 100 * MiB, wanted: 10 * MiB })).toMatchInlineSnapshot(
    `"Tensors of 512 rows, such as a batch of views has, take 90.0 MiB of this. 409 rows would have come this far, and the rest of the step may need as much again: lower the batch size to 128 rows, or the image size, or dispose tensors that are no longer needed."`,
  );
  // 128 have come this far: half of them leaves room for as much again
  expect(advice.advise({ limit: 35 * MiB, used: 100 * MiB, wanted: 10 * MiB })).toMatch(
    / 128 rows would .* to 64 rows, /,
  );
});

it('counts what is given back', () => {
  const advice = new BatchAdvice();
  advice.count(512, 90 * MiB);
  advice.count(512, -90 * MiB);
  advice.count(32, 8 * MiB);
  expect(advice.advise({ limit: 10 * MiB, used: 8 * MiB, wanted: 8 * MiB })).toMatch(/ 20 rows would .* to 8 rows, /);
});

it('names no number where most of the memory is not a batch’s', () => {
  const advice = new BatchAdvice();
  advice.count(3, 10 * MiB);
  expect(advice.advise({ limit: 100 * MiB, used: 90 * MiB, wanted: 20 * MiB })).toBe(
    'Lower the batch size or the image size, or dispose tensors that are no longer needed.',
  );
  expect(new BatchAdvice().advise({ limit: 100, used: 0, wanted: 200 })).toMatch(/^Lower the batch size or/);
});
