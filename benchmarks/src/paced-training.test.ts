import { expect, it } from 'vitest';
import { startPaced } from './paced-training.ts';

/** A training of some steps that counts those it has begun. */
function counting(steps: number) {
  const counts = { begun: 0 };
  const train = async (onEvent: (event: { type: string }) => void | Promise<void>) => {
    for (let i = 0; i < steps; i++) {
      counts.begun++;
      await onEvent({ type: 'step' });
      if (i % 2 === 1) await onEvent({ type: 'epoch' });
    }
  };
  return { counts, train };
}

it('lets a training take its steps one after another, and ends it where it is', async () => {
  const { counts, train } = counting(100);
  const paced = await startPaced('some', train);
  expect(counts.begun).toBe(1);
  expect(await paced.steps(3)).toBeGreaterThanOrEqual(0);
  expect(counts.begun).toBe(4);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(counts.begun).toBe(4);
  await paced.stop();
  expect(counts.begun).toBe(4);
});

it('throws what the training throws, and says that one has ended', async () => {
  const failing = () => Promise.reject(new RangeError('no images'));
  await expect(startPaced('failing', failing)).rejects.toThrow('no images');
  const paced = await startPaced('short', counting(2).train);
  await expect(paced.steps(2)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: short must train until it is stopped, but ended. Give it more epochs.]`,
  );
});
