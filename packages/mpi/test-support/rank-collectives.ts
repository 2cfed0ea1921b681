// One rank: every operation on every typed array, synchronous and asynchronous, against computed values.
import { deepStrictEqual } from 'node:assert';
import { type MpiArray, openMpi, type Reduction } from '@tfjs-ssl/mpi';

const mpi = await openMpi();
const { rank, size, library } = mpi;
const length = 7;

type Make = (values: readonly number[]) => MpiArray;
const numbers = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
].map((Class): [string, Make] => [Class.name, (values) => Class.from(values)]);
const bigints = [BigInt64Array, BigUint64Array].map((Class): [string, Make] => [
  Class.name,
  (values) => Class.from(values.map(BigInt)),
]);
const shared: [string, Make] = [
  'Float32Array of shared memory',
  (values) => {
    const array = new Float32Array(new SharedArrayBuffer(4 * values.length));
    array.set(values);
    return array;
  },
];

const reduce: Record<Reduction, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  product: (a, b) => a * b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
};
const ranks = Array.from({ length: size }, (_, r) => r);
const indices = (count: number) => Array.from({ length: count }, (_, i) => i);

for (const [name, make] of [...numbers, ...bigints, shared]) {
  const signed = !/^(Uint|BigUint)/.test(name);
  const half = name.startsWith('Float') ? 0.5 : 0;
  /** Element i of rank r; the product over four ranks fits into a byte. */
  const value = (r: number, i: number) => (signed && i % 3 === 0 ? -1 : 1) * (r + 1 + (i % 2)) + half;
  const own = (count: number) => make(indices(count).map((i) => value(rank, i)));
  const empty = (count: number) => make(indices(count).map(() => 0));
  const reduced = (reduction: Reduction, i: number) => ranks.map((r) => value(r, i)).reduce(reduce[reduction]);
  const check = (operation: string, got: MpiArray, expected: readonly number[]) =>
    deepStrictEqual([...got], [...make(expected)], `${operation} of ${name} on rank ${rank}`);

  for (const operations of [mpi, mpi.async]) {
    for (const reduction of ['sum', 'product', 'min', 'max'] as const) {
      const data = own(length);
      await operations.allReduce(data, reduction);
      check(
        `allReduce ${reduction}`,
        data,
        indices(length).map((i) => reduced(reduction, i)),
      );

      const part = empty(length);
      const whole = own(length * size);
      await operations.reduceScatter(whole, part, reduction);
      check(
        `reduceScatter ${reduction}`,
        part,
        indices(length).map((i) => reduced(reduction, rank * length + i)),
      );
      check('reduceScatter, its source', whole, [...own(length * size)].map(Number));
    }
    for (const root of ranks) {
      const data = own(length);
      await operations.broadcast(data, root);
      check(
        `broadcast from ${root}`,
        data,
        indices(length).map((i) => value(root, i)),
      );
    }
    const gathered = empty(length * size);
    await operations.allGather(own(length), gathered);
    check(
      'allGather',
      gathered,
      ranks.flatMap((r) => indices(length).map((i) => value(r, i))),
    );

    const received = empty(2 * size);
    await operations.allToAll(own(2 * size), received);
    check(
      'allToAll',
      received,
      ranks.flatMap((r) => [value(r, 2 * rank), value(r, 2 * rank + 1)]),
    );
    await operations.barrier();
  }
}

// digits of 64 bits that no double has
const large = BigInt64Array.of(2n ** 60n + BigInt(rank));
mpi.allReduce(large, 'max');
deepStrictEqual(large[0], 2n ** 60n + BigInt(size - 1));

// several under way, in the order of their calls, while this thread computes
const many = Array.from({ length: 20 }, (_, i) => new Float64Array(1000).fill(rank + i));
const pending = many.map((data) => mpi.async.allReduce(data));
try {
  mpi.barrier();
  console.log('refused nothing');
} catch (error) {
  console.log(`refused ${(error as Error).message}`);
}
await Promise.all(pending);
for (const [i, data] of many.entries()) {
  const expected = ranks.reduce((sum, r) => sum + r + i, 0);
  deepStrictEqual([data[0], data[999]], [expected, expected]);
}

console.log(`done ${JSON.stringify({ rank, size, library })}`);
mpi.finalize();
mpi.finalize();
