import { expect, it } from 'vitest';
import type { Call } from './backend.ts';
import { performer } from './performer.ts';

/** A call that ends when it is told to. */
function heldCall(log: string[], name: string): { call: () => Call; end(): void } {
  let end = () => {};
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const call = (): Call => ({
    now: () => void log.push(name),
    async later() {
      log.push(`${name} begins`);
      await held;
      log.push(`${name} ends`);
    },
  });
  return { call, end: () => end() };
}

it('runs asynchronous operations one after the other, in the order of the calls, the first at once', async () => {
  const log: string[] = [];
  const { now, later } = performer('serialized');
  const [a, b] = [heldCall(log, 'a'), heldCall(log, 'b')];
  const both = [later('mpi.a', a.call), later('mpi.b', b.call)];
  expect(log).toEqual(['a begins']);
  b.end();
  expect(() => now('mpi.c', heldCall(log, 'c').call)).toThrowErrorMatchingInlineSnapshot(
    `[Error: mpi.c: asynchronous operations must have ended, got 2 under way. Await their promises first.]`,
  );
  a.end();
  await Promise.all(both);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  now('mpi.c', heldCall(log, 'c').call);
  expect(log.at(-1)).toBe('c');
});

it('goes on after an operation that has failed', async () => {
  const log: string[] = [];
  const { later } = performer('multiple');
  const failing = (): Call => ({
    now() {},
    later: () => Promise.reject(new Error('no')),
  });
  const next = heldCall(log, 'next');
  next.end();
  const both = [later('mpi.a', failing), later('mpi.b', next.call)];
  await expect(both[0]).rejects.toThrow('no');
  await both[1];
  expect(log).toEqual(['next begins', 'next ends']);
});

it('refuses other threads where the library does', async () => {
  const { later } = performer('funneled');
  await expect(later('mpi.a', heldCall([], 'a').call)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: mpi.a: an asynchronous operation needs an MPI library that other threads may call, got the thread level 'funneled'. Use the synchronous operation.]`,
  );
});

it('ends once, with nothing under way and nothing after it', async () => {
  const log: string[] = [];
  const { now, later, finish } = performer('serialized');
  const a = heldCall(log, 'a');
  const running = later('mpi.a', a.call);
  expect(() => finish(() => log.push('left'))).toThrowErrorMatchingInlineSnapshot(
    `[Error: mpi.finalize: asynchronous operations must have ended, got 1 under way. Await their promises first.]`,
  );
  a.end();
  await running;
  finish(() => log.push('left'));
  finish(() => log.push('left'));
  expect(log).toEqual(['a begins', 'a ends', 'left']);
  expect(() => now('mpi.a', a.call)).toThrowErrorMatchingInlineSnapshot(
    `[Error: mpi.a: the job must not be left yet, got a call after mpi.finalize(). Finalize last.]`,
  );
  await expect(later('mpi.a', a.call)).rejects.toThrow('after mpi.finalize()');
});
