import { argumentError, checkChoice, checkNumber } from '@tfjs-ssl/checks';
import type { Backend, Call } from './backend.ts';
import type { Collectives, MpiArray, Reduction } from './types.ts';

const reductions: readonly Reduction[] = ['sum', 'product', 'min', 'max'];

/** The operations with their arguments checked; `perform` runs them. */
export function collectives<Done>(
  backend: Backend,
  size: number,
  perform: (fn: string, call: () => Call) => Done,
): Collectives<Done> {
  return {
    allReduce: (data, reduction = 'sum') =>
      perform('mpi.allReduce', () => {
        checkArray('mpi.allReduce', 'data', data);
        checkChoice('mpi.allReduce', 'reduction', reduction, reductions);
        return backend.allReduce(data, reduction);
      }),
    broadcast: (data, root = 0) =>
      perform('mpi.broadcast', () => {
        checkArray('mpi.broadcast', 'data', data);
        const ranks = { min: 0, max: size - 1, integer: true };
        checkNumber('mpi.broadcast', 'root', root, ranks, `The job has ${size} ranks, and the first is 0.`);
        return backend.broadcast(data, root);
      }),
    allGather: (part, whole) =>
      perform('mpi.allGather', () => {
        checkArray('mpi.allGather', 'part', part);
        checkLike('mpi.allGather', 'whole', whole, part, part.length * size);
        return backend.allGather(part, whole);
      }),
    reduceScatter: (whole, part, reduction = 'sum') =>
      perform('mpi.reduceScatter', () => {
        checkArray('mpi.reduceScatter', 'part', part);
        checkLike('mpi.reduceScatter', 'whole', whole, part, part.length * size);
        checkChoice('mpi.reduceScatter', 'reduction', reduction, reductions);
        return backend.reduceScatter(whole, part, reduction);
      }),
    allToAll: (sent, received) =>
      perform('mpi.allToAll', () => {
        checkArray('mpi.allToAll', 'sent', sent);
        checkLike('mpi.allToAll', 'received', received, sent, sent.length);
        if (sent.length % size === 0) return backend.allToAll(sent, received);
        throw argumentError({
          fn: 'mpi.allToAll',
          argument: 'sent',
          required: `hold ${size} parts of equal length, one for each rank`,
          got: sent.length,
          shown: `${sent.length} elements`,
          advice: 'Pad it.',
        });
      }),
    barrier: () => perform('mpi.barrier', () => backend.barrier()),
  };
}

const arrayNames = 'Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, '
  .concat('BigInt64Array, BigUint64Array, Float32Array, Float64Array')
  .split(', ');

/** Elements that a C `int` can count. */
const mostElements = 2 ** 31 - 1;

function checkArray(fn: string, argument: string, data: MpiArray): void {
  const name = ArrayBuffer.isView(data) ? data[Symbol.toStringTag] : undefined;
  if (name === undefined || !arrayNames.includes(name)) {
    throw argumentError({
      kind: 'type',
      fn,
      argument,
      required: 'be a typed array of 8 to 64 bits',
      got: data,
      ...(name && { shown: `a ${name}` }),
      advice: 'Copy the values into one, for example `new Float32Array(values)`.',
    });
  }
  if (data.length <= mostElements) return;
  throw argumentError({
    fn,
    argument,
    required: `have at most ${mostElements} elements`,
    got: data.length,
    advice: 'Pass several parts, made by `subarray`.',
  });
}

/** Checks the second array of an operation: its type, its length, and that it has memory of its own. */
function checkLike(fn: string, argument: string, data: MpiArray, other: MpiArray, length: number): void {
  checkArray(fn, argument, data);
  const [name, required] = [data[Symbol.toStringTag], other[Symbol.toStringTag]];
  if (name !== required || data.length !== length) {
    throw argumentError({
      fn,
      argument,
      required: `be a ${required} of ${length} elements`,
      got: data,
      shown: `a ${name} of ${data.length}`,
      advice: 'All ranks need arrays of one type and length.',
    });
  }
  const overlap =
    data.buffer === other.buffer &&
    data.byteOffset < other.byteOffset + other.byteLength &&
    other.byteOffset < data.byteOffset + data.byteLength;
  if (!overlap) return;
  throw argumentError({
    fn,
    argument,
    required: 'have memory of its own',
    got: data,
    shown: 'memory that both arrays share',
    advice: 'Pass a new array for the result.',
  });
}
