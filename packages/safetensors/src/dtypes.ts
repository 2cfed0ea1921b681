/** Element types that have a typed array in JavaScript; narrower floats of a file are read as `F32`. */
export type SafeTensorDtype = 'F64' | 'F32' | 'I64' | 'U64' | 'I32' | 'U32' | 'I16' | 'U16' | 'I8' | 'U8' | 'BOOL';

/** Typed arrays that hold the elements. */
export type SafeTensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SafeTensorData;
}

/** Typed array of every element type; booleans are bytes, 0 or 1. */
export const arrayTypes: Readonly<Record<SafeTensorDtype, ArrayType>> = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** A tensor of a safetensors file. */
export interface SafeTensor {
  readonly dtype: SafeTensorDtype;
  /** Lengths of the axes; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly data: SafeTensorData;
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, length) => count * length, 1);
}
