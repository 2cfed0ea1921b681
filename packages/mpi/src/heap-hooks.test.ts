import { expect, it } from 'vitest';
import { roomBehindHeap, spareHeap } from './heap-hooks.ts';

const heapBefore = (next: string) =>
  [
    '00400000-00b6d000 r--p 00000000 fe:00 1234                               /usr/bin/node',
    '06a2a000-06c40000 rw-p 00000000 00:00 0                                  [heap]',
    `${next}-7f2ad4000000 ---p 00000000 00:00 0`,
    '',
  ].join('\n');

it('measures the room behind the heap', () => {
  expect(roomBehindHeap(heapBefore('06c40000'))).toBe(0);
  expect(roomBehindHeap(heapBefore('07c40000'))).toBe(2 ** 24);
  expect(roomBehindHeap('00400000-00b6d000 r--p 00000000 fe:00 1234 /usr/bin/node\n')).toBe(Number.POSITIVE_INFINITY);
  expect(roomBehindHeap('')).toBe(Number.POSITIVE_INFINITY);
});

it('turns the hooks off where the heap has no room, unless the user has decided', () => {
  const after = (maps: string, environment: NodeJS.ProcessEnv = {}) => {
    spareHeap(environment, maps);
    return environment;
  };
  expect(after(heapBefore('06c42000'))).toEqual({ UCX_MEM_EVENTS: 'n' });
  expect(after(heapBefore('7f2ad0000000'))).toEqual({});
  expect(after(heapBefore('06c42000'), { UCX_MEM_EVENTS: 'y' })).toEqual({ UCX_MEM_EVENTS: 'y' });
});
