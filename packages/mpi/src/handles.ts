import type { ForeignLibrary } from './foreign.ts';
import type { MpiArray, Reduction, ThreadLevel } from './types.ts';

/** A predefined object of MPI as its C functions take it. */
type Handle = number | bigint;

/** Name of a typed array's class, as its `Symbol.toStringTag`. */
type ArrayName = MpiArray[typeof Symbol.toStringTag];

/** What differs between the binary interfaces of MPI libraries. */
export interface Handles {
  /** Handles are `int` in MPICH's own interface, and pointers elsewhere. */
  readonly kind: 'int' | 'address';
  readonly world: Handle;
  /** The address that stands for "the result is where the data are". */
  readonly inPlace: number;
  readonly datatypes: Readonly<Record<ArrayName, Handle>>;
  readonly reductions: Readonly<Record<Reduction, Handle>>;
  /** Values of `MPI_THREAD_SINGLE` and so on. */
  readonly threadLevels: Readonly<Record<ThreadLevel, number>>;
}

const classicLevels = { single: 0, funneled: 1, serialized: 2, multiple: 3 };

/** The standard interface of MPI 5, section 20: `libmpi_abi.so.1` of every implementation. */
const standard: Handles = {
  kind: 'address',
  world: 0x101,
  inPlace: 1,
  datatypes: {
    Int8Array: 0x240,
    Uint8Array: 0x241,
    Uint8ClampedArray: 0x241,
    Int16Array: 0x248,
    Uint16Array: 0x249,
    Int32Array: 0x250,
    Uint32Array: 0x251,
    BigInt64Array: 0x258,
    BigUint64Array: 0x259,
    Float32Array: 0x210,
    Float64Array: 0x214,
  },
  reductions: { sum: 0x21, min: 0x22, max: 0x23, product: 0x24 },
  threadLevels: { single: 0, funneled: 1024, serialized: 2048, multiple: 4096 },
};

/** The common interface of MPICH and its relatives (Intel MPI, MVAPICH, Cray MPICH): `libmpi.so.12`. */
const mpich: Handles = {
  kind: 'int',
  world: 0x44000000,
  inPlace: -1,
  datatypes: {
    Int8Array: 0x4c000137,
    Uint8Array: 0x4c00013b,
    Uint8ClampedArray: 0x4c00013b,
    Int16Array: 0x4c000238,
    Uint16Array: 0x4c00023c,
    Int32Array: 0x4c000439,
    Uint32Array: 0x4c00043d,
    BigInt64Array: 0x4c00083a,
    BigUint64Array: 0x4c00083e,
    Float32Array: 0x4c00040a,
    Float64Array: 0x4c00080b,
  },
  reductions: { max: 0x58000001, min: 0x58000002, sum: 0x58000003, product: 0x58000004 },
  threadLevels: classicLevels,
};

/** Open MPI's own interface, `libmpi.so.40`: a handle is the address of a variable. */
function openMpi(library: ForeignLibrary): Handles {
  const address = (name: string): bigint => library.address(`ompi_mpi_${name}`) as bigint;
  const [uint8, float] = [address('uint8_t'), address('float')];
  return {
    kind: 'address',
    world: address('comm_world'),
    inPlace: 1,
    datatypes: {
      Int8Array: address('int8_t'),
      Uint8Array: uint8,
      Uint8ClampedArray: uint8,
      Int16Array: address('int16_t'),
      Uint16Array: address('uint16_t'),
      Int32Array: address('int32_t'),
      Uint32Array: address('uint32_t'),
      BigInt64Array: address('int64_t'),
      BigUint64Array: address('uint64_t'),
      Float32Array: float,
      Float64Array: address('double'),
    },
    reductions: {
      sum: address('op_sum'),
      product: address('op_prod'),
      min: address('op_min'),
      max: address('op_max'),
    },
    threadLevels: classicLevels,
  };
}

/**
 * The handles of a library.
 *
 * @param path - its file, whose name tells the standard interface from MPICH's own.
 */
export function handlesOf(library: ForeignLibrary, path: string): Handles {
  if (/libmpi_abi\b/.test(path)) return standard;
  return library.address('ompi_mpi_comm_world') === undefined ? mpich : openMpi(library);
}
