import { argumentError } from '@tfjs-ssl/checks';
import { arrayTypes, elementCount, type SafeTensor, type SafeTensorDtype } from './dtypes.ts';
import { requireLittleEndian } from './encode.ts';
import { narrowBytes, narrowDtypes, widen } from './narrow-floats.ts';
import { otherFormat } from './other-formats.ts';
import { type Json, JsonObject, parseStrictJson } from './strict-json.ts';

/** What a safetensors file holds. */
export interface Safetensors {
  /** Tensors by name, in the order of the header. */
  readonly tensors: Record<string, SafeTensor>;
  /** The strings of `__metadata__`; empty if the file has none. */
  readonly metadata: Record<string, string>;
}

/** The longest header that Python's package reads, bytes. */
const longestHeader = 100_000_000;

/**
 * Reads the bytes of a safetensors file.
 *
 * Data are views into `bytes` if the alignment allows it, otherwise copies. Do not write into `bytes` afterwards. F16, BF16 and the F8 types
 * become F32, which has all their values. Nothing is trusted: lengths, offsets, shapes and dtypes are checked against one another and against
 * the number of bytes, and the tensors must cover the data without gap or overlap, as the format demands.
 *
 * What Python's package refuses is refused here. Beyond it are refused: a name that comes twice, an entry that is written as a list, lengths from
 * 2^53 on, and elements that are no whole bytes, complex, or F8_E8M0.
 *
 * @param bytes - the whole file.
 * @returns tensors and metadata; both are objects without a prototype, so any name is safe as a key.
 * @throws RangeError if the file is cut short, damaged, or something else, which is named: a Git LFS pointer, an HTML page, a PyTorch file.
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
  const entries: Array<[string, Entry]> = [];
  for (const [name, entry] of header) {
    if (name === '__metadata__') readMetadata(entry, metadata);
    else entries.push([name, readEntry(name, entry, bytes.length - dataStart)]);
  }
  checkCoverage(entries, bytes.length - dataStart);
  for (const [name, { dtype, shape, begin, end }] of entries) {
    tensors[name] = readTensor(bytes.subarray(dataStart + begin, dataStart + end), dtype, shape);
  }
  return { tensors, metadata };
}

const fn = 'decodeSafetensors';
const getAgain = 'The file is damaged or not a safetensors file: get it again.';

function fail(argument: string, required: string, got: string | number | bigint, advice = getAgain): never {
  throw argumentError({ fn, argument, required, got, shown: String(got), advice });
}

/** Says what the file is instead if that can be determined. */
function failHeader(bytes: Uint8Array, argument: string, required: string, got: string | bigint): never {
  const other = otherFormat(bytes);
  if (!other) fail(argument, required, got);
  fail('the file', 'be a safetensors file', other.what, `${other.advice}.`);
}

function readHeader(bytes: Uint8Array): { header: JsonObject; dataStart: number } {
  if (bytes.length < 8) failHeader(bytes, 'the file', 'have at least 8 bytes', String(bytes.length));
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    failHeader(bytes, 'the header', `fit into the file of ${bytes.length} bytes`, `${length} bytes`);
  }
  if (length > longestHeader) fail('the header', `have at most ${longestHeader} bytes`, length);
  const dataStart = 8 + Number(length);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataStart));
  } catch {
    fail('the header', 'be UTF-8', 'other bytes');
  }
  let header: Json;
  try {
    header = parseStrictJson(text);
  } catch (error) {
    fail('the header', 'be JSON', `${(error as Error).message} of ${JSON.stringify(clip(text, 20))}`);
  }
  if (!(header instanceof JsonObject)) fail('the header', 'be a JSON object', clip(text, 20));
  return { header, dataStart };
}

function readMetadata(entry: Json, metadata: Record<string, string>): void {
  if (entry === null) return;
  if (!(entry instanceof JsonObject)) fail('__metadata__', 'be an object of strings', show(entry));
  for (const [key, value] of entry) {
    if (typeof value !== 'string') fail(`__metadata__.${clip(key, 60)}`, 'be a string', show(value));
    metadata[key] = value;
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(fullName: string, entry: Json, dataBytes: number): Entry {
  const name = clip(fullName, 100);
  const [dtype, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((field) =>
    entry instanceof JsonObject ? entry.get(field) : undefined,
  );
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    const required = 'have a dtype, a shape and two data_offsets, both of integers written like 4, not 4.0';
    fail(`'${name}'`, required, show(entry));
  }
  const elementBytes =
    narrowBytes(dtype) ??
    (Object.hasOwn(arrayTypes, dtype) ? arrayTypes[dtype as SafeTensorDtype].BYTES_PER_ELEMENT : undefined);
  if (elementBytes === undefined) {
    const known = [...Object.keys(arrayTypes), ...narrowDtypes].join(', ');
    fail(`the dtype of '${name}'`, `be one of ${known}`, clip(dtype, 20), 'Convert the file to float32 first.');
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    fail(`the data of '${name}'`, `lie within ${dataBytes} bytes`, `${begin} to ${end}`);
  }
  const expected = elementCount(shape) * elementBytes;
  if (end - begin !== expected) {
    const argument = `'${name}' of dtype ${dtype} and shape [${clip(shape.join(', '), 60)}]`;
    fail(argument, `have ${expected} bytes`, end - begin);
  }
  return { dtype, shape, begin, end };
}

function readTensor(bytes: Uint8Array, dtype: string, shape: number[]): SafeTensor {
  if (narrowBytes(dtype) !== undefined) return { dtype: 'F32', shape, data: widen(dtype, bytes) };
  const arrayType = arrayTypes[dtype as SafeTensorDtype];
  const aligned = bytes.byteOffset % arrayType.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  const length = bytes.length / arrayType.BYTES_PER_ELEMENT;
  return { dtype: dtype as SafeTensorDtype, shape, data: new arrayType(aligned.buffer, aligned.byteOffset, length) };
}

function checkCoverage(entries: ReadonlyArray<[string, Entry]>, dataBytes: number): void {
  let covered = 0;
  for (const [name, { begin, end }] of entries.toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps another tensor' : 'leaves a gap before it';
      fail(`'${clip(name, 100)}'`, `begin at byte ${covered} of the data`, `${begin}, which ${what}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) fail('the tensors', `cover the data of ${dataBytes} bytes`, `${covered} bytes`);
}

function isCounts(value: Json | undefined): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count));
}

function show(value: Json): string {
  return clip(value instanceof JsonObject ? value.source : JSON.stringify(value), 100);
}

function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
