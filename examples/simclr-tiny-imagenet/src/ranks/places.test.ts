import { expect, it } from 'vitest';
import { divide, placesText } from './places.ts';

const seat = (host: string, allowed = '0-7') => ({ host, allowed });

it('divides the processors of a host by its ranks, and gives each at least one', () => {
  const seats = [seat('a'), seat('a'), seat('a'), seat('b')];
  expect(seats.map((_, rank) => divide(seats, rank, 8).threads)).toEqual([2, 2, 2, 8]);
  expect(divide(seats, 0, 2).threads).toBe(1);
});

it('leaves a rank the processors that the launcher has tied it to', () => {
  const seats = [seat('a', '0-3'), seat('a', '4-7'), seat('b', '0-3'), seat('b', '0-3')];
  expect(seats.map((_, rank) => divide(seats, rank, 4).threads)).toEqual([4, 4, 2, 2]);
});

it('gives a rank no more threads than its task has processors', () => {
  const seats = [seat('a'), seat('a')];
  expect(divide(seats, 0, 8, 2).threads).toBe(2);
  expect(divide(seats, 0, 2, 2).threads).toBe(1);
});

it('lets the first rank of all begin, then the first of each other host', () => {
  const seats = [seat('a'), seat('b'), seat('a'), seat('b')];
  expect(seats.map((_, rank) => divide(seats, rank, 8).turn)).toEqual([0, 1, 2, 2]);
});

it('says where the ranks are', () => {
  expect(placesText(new Map([['a', 2]]), [1, 1])).toBe('2 on a, 1 thread each');
  expect(
    placesText(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      [8, 4, 4],
    ),
  ).toBe('3 on 2 hosts (a: 1, b: 2), 4 to 8 threads each');
});
