import { arrayTypes, elementCount, type SafeTensor, type SafeTensorDtype } from './dtypes.ts';
import { requireLittleEndian } from './encode.ts';

/** What a safetensors file holds. */
export interface Safetensors {
  /** Tensors by name, in the order of the header. */
  readonly tensors: Record<string, SafeTensor>;
  /** The strings of `__metadata__`; empty where the file has none. */
  readonly metadata: Record<string, string>;
}

/**
 * Reads the bytes of a safetensors file.
 *
 * The data are views into `bytes` where the alignment allows, copies elsewhere: do not write into `bytes` afterwards. Nothing is trusted:
 * lengths, offsets, shapes and dtypes are checked against one another and against the number of bytes, and the tensors must cover the data
 * without gap or overlap, as the format demands.
 *
 * @param bytes - the whole file.
 * @returns tensors and metadata; both are objects without a prototype, so any name is safe as a key.
 * @throws RangeError where the file is cut short, damaged, or holds a dtype that JavaScript has no typed array for (F16, BF16, F8).
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from '@tfjs-ssl/safetensors';
 *
 * const bytes = encodeSafetensors({ step: { dtype: 'I32', shape: [], data: new Int32Array([7]) } });
 * console.log(decodeSafetensors(bytes).tensors.step?.data[0]); // 7
 * ```
 *
 * @see https://huggingface.co/docs/safetensors/index#format
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  requireLittleEndian('decodeSafetensors');
  const { header, dataStart } = readHeader(bytes);
  const tensors: Record<string, SafeTensor> = Object.create(null);
  const metadata: Record<string, string> = Object.create(null);
  const ranges: Array<{ name: string; begin: number; end: number }> = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      readMetadata(entry, metadata);
      continue;
    }
    const { dtype, shape, begin, end } = readEntry(name, entry, bytes.length - dataStart);
    ranges.push({ name, begin, end });
    tensors[name] = { dtype, shape, data: view(bytes, dtype, dataStart + begin, end - begin) };
  }
  checkCoverage(ranges, bytes.length - dataStart);
  return { tensors, metadata };
}

function fail(problem: string): never {
  throw new RangeError(`decodeSafetensors: ${problem}. The file is damaged or not a safetensors file; get it again.`);
}

function readHeader(bytes: Uint8Array): { header: object; dataStart: number } {
  if (bytes.length < 8) fail(`the file must have at least 8 bytes, got ${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    fail(`the header must fit into the file of ${bytes.length} bytes, got a header of ${length}`);
  }
  const dataStart = 8 + Number(length);
  const text = new TextDecoder().decode(bytes.subarray(8, dataStart));
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    fail(`the header must be JSON, got ${JSON.stringify(text.slice(0, 20))}`);
  }
  if (!isObject(header)) fail(`the header must be a JSON object, got ${text.slice(0, 20)}`);
  return { header, dataStart };
}

function readMetadata(entry: unknown, metadata: Record<string, string>): void {
  if (!isObject(entry)) fail(`__metadata__ must be an object of strings, got ${JSON.stringify(entry)}`);
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') fail(`__metadata__.${key} must be a string, got ${JSON.stringify(value)}`);
    metadata[key] = value;
  }
}

function readEntry(
  name: string,
  entry: unknown,
  dataBytes: number,
): { dtype: SafeTensorDtype; shape: number[]; begin: number; end: number } {
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? (entry as Record<string, unknown>) : {};
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    fail(`'${name}' must have dtype, shape and two data_offsets, got ${JSON.stringify(entry)}`);
  }
  if (!Object.hasOwn(arrayTypes, dtype)) {
    throw new RangeError(
      `decodeSafetensors: dtype of '${name}' must be one of ${Object.keys(arrayTypes).join(', ')}, got ${dtype}. Convert the file to float32 first.`,
    );
  }
  const known = dtype as SafeTensorDtype;
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    fail(`data of '${name}' must lie within ${dataBytes} bytes, got ${begin} to ${end}`);
  }
  const expected = elementCount(shape) * arrayTypes[known].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    fail(`'${name}' of dtype ${dtype} and shape [${shape}] must have ${expected} bytes, got ${end - begin}`);
  }
  return { dtype: known, shape, begin, end };
}

function view(bytes: Uint8Array, dtype: SafeTensorDtype, offset: number, byteLength: number): SafeTensor['data'] {
  const arrayType = arrayTypes[dtype];
  const length = byteLength / arrayType.BYTES_PER_ELEMENT;
  const start = bytes.byteOffset + offset;
  if (start % arrayType.BYTES_PER_ELEMENT === 0) return new arrayType(bytes.buffer, start, length);
  return new arrayType(bytes.slice(offset, offset + byteLength).buffer, 0, length);
}

function checkCoverage(ranges: Array<{ name: string; begin: number; end: number }>, dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps another tensor' : 'leaves a gap before it';
      fail(`'${name}' must begin at byte ${covered} of the data, got ${begin}: it ${what}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) fail(`the tensors must cover the data of ${dataBytes} bytes, got ${covered}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
