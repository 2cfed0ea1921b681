/** A typed array that MPI has a datatype for. Its memory may be shared between threads. */
export type MpiArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** How the values of all ranks become one. A result that does not fit the type is undefined. */
export type Reduction = 'sum' | 'product' | 'min' | 'max';

/** Which threads of a process may call MPI: see the MPI standard, `MPI_Init_thread`. */
export type ThreadLevel = 'single' | 'funneled' | 'serialized' | 'multiple';

/** The MPI library that a process has loaded. */
export interface MpiLibrary {
  /** The file, as it was loaded. */
  readonly path: string;
  /** For example `'MPICH'` or `'Open MPI'`. */
  readonly implementation: string;
  /** Version of the implementation, for example `'5.0.2'`. */
  readonly version: string;
  /** Version of the MPI standard that it implements, for example `'5.0'`. */
  readonly standard: string;
  /** Asynchronous calls need `'serialized'` or `'multiple'`. */
  readonly threadLevel: ThreadLevel;
}

/**
 * Operations in which all ranks take part. Every rank must call the same ones in the same order, with arrays of the same type and length.
 *
 * All of them throw a RangeError or a TypeError if an argument does not fit, and an Error after `finalize`.
 */
export interface Collectives<Done> {
  /**
   * Combines an array element by element over all ranks, in place: afterwards all ranks hold the result.
   *
   * @param data - any length that is the same on all ranks.
   * @param reduction - default: `'sum'`.
   */
  allReduce(data: MpiArray, reduction?: Reduction): Done;
  /**
   * Overwrites an array with that of one rank.
   *
   * @param root - the rank whose values all get. Default: 0.
   */
  broadcast(data: MpiArray, root?: number): Done;
  /**
   * Collects the parts of all ranks, in the order of the ranks.
   *
   * @param part - the part of this rank; not changed.
   * @param whole - receives all parts: the type of `part` and `size` times its length.
   */
  allGather<Values extends MpiArray>(part: Values, whole: Values): Done;
  /**
   * Combines an array over all ranks, and leaves each rank its part of the result.
   *
   * @param whole - not changed; its length is `size` times that of `part`.
   * @param part - receives part number `rank` of the result.
   * @param reduction - default: `'sum'`.
   */
  reduceScatter<Values extends MpiArray>(whole: Values, part: Values, reduction?: Reduction): Done;
  /**
   * Sends part r of an array to rank r, from every rank to every rank.
   *
   * @param sent - `size` parts of equal length; not changed.
   * @param received - the type and length of `sent`; receives in part r what rank r sent to this rank.
   */
  allToAll<Values extends MpiArray>(sent: Values, received: Values): Done;
  /** Waits until all ranks have come here. */
  barrier(): Done;
}

/** The place of this process in its job; see {@link openMpi}. */
export interface Mpi extends Collectives<void> {
  /** Number of this process, from 0 to `size - 1`. */
  readonly rank: number;
  /** Processes of the job. */
  readonly size: number;
  /** The library in use; null outside a job. */
  readonly library: MpiLibrary | null;
  /**
   * The same operations on another thread, so that this one goes on. They run one after the other in the order of the calls. Until a
   * promise resolves, its arrays must not be touched and the synchronous operations are refused. `async.barrier` uses no processor while it waits.
   */
  readonly async: Collectives<Promise<void>>;
  /**
   * Ends all processes of the job at once.
   *
   * @param message - printed to the standard error with the rank before it.
   * @param code - exit code of the job, from 1 to 255. Default: 1.
   */
  abort(message: string, code?: number): never;
  /** Leaves the job; the last thing that a program does with it. Waits for the other ranks. A second call does nothing. */
  finalize(): void;
}
