import { type ArgumentErrorOptions, argumentError, checkChoice, showKind } from '@tfjs-ssl/checks';
import { arrayTypes, elementCount, type SafeTensor } from './dtypes.ts';

/** The function that errors name. */
const fn = 'encodeSafetensors';

/**
 * Writes named tensors as the bytes of a safetensors file.
 *
 * The layout is: 8 bytes with the length of the header (little-endian), the header as JSON padded with spaces to a multiple of 8, then the
 * elements of all tensors without gaps. Tensors with wide elements come first, so that every tensor is aligned to its element size; within
 * a width the order is that of the object. The same input gives the same bytes.
 *
 * @param tensors - tensors by name; the data are copied.
 * @param metadata - strings by name, stored beside the tensors as `__metadata__`.
 * @returns the file's bytes.
 * @throws RangeError if a tensor's shape does not match its data, a name is reserved or no valid Unicode, or the machine is not little-endian.
 * @throws TypeError if a tensor's typed array is not that of its dtype.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from '@tfjs-ssl/safetensors';
 *
 * const weight = { dtype: 'F32', shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) } as const;
 * const bytes = encodeSafetensors({ weight }, { format: 'pt' });
 * console.log(decodeSafetensors(bytes).tensors.weight?.shape); // [2, 2]
 * ```
 *
 * @see https://huggingface.co/docs/safetensors/index#format
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  requireLittleEndian(fn);
  const entries = Object.entries(tensors);
  for (const [name, tensor] of entries) check(name, tensor);
  // Stable: within one width the order of the object stays.
  entries.sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);

  const header: Array<[string, unknown]> = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let end = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const begin = end;
    end += data.byteLength;
    header.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  // fromEntries defines own properties, so that a tensor called '__proto__' is written like any other.
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const dataStart = Math.ceil((8 + json.length) / 8) * 8;
  const bytes = new Uint8Array(dataStart + end).fill(0x20, 8, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(json, 8);
  let offset = dataStart;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/** Elements are stored little-endian, and typed arrays have the machine's order. */
export function requireLittleEndian(caller: string): void {
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) {
    throw new Error(`${caller}: typed arrays must be little-endian, got a big-endian machine. Use another machine.`);
  }
}

function check(name: string, { dtype, shape, data }: SafeTensor): void {
  if (name === '__metadata__') {
    throw fault({ argument: 'a name', required: 'not be reserved', got: name, advice: 'Rename the tensor.' });
  }
  if (/\p{Surrogate}/u.test(name)) {
    const shown = `${JSON.stringify(name)} with half of a surrogate pair`;
    throw fault({ argument: 'a name', required: 'be valid Unicode', got: name, shown, advice: 'Rename the tensor.' });
  }
  const dtypes = Object.keys(arrayTypes);
  checkChoice(fn, `the dtype of '${name}'`, dtype, dtypes, 'Convert the data.');
  const arrayType = arrayTypes[dtype];
  if (!(data instanceof arrayType)) {
    throw fault({
      kind: 'type',
      argument: `'${name}' of dtype ${dtype}`,
      required: `hold a ${(arrayType as unknown as { name: string }).name}`,
      got: data,
      shown: showKind(data),
      advice: 'Convert the data, or change the dtype.',
    });
  }
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || elementCount(shape) !== data.length) {
    throw fault({
      argument: `the shape of '${name}'`,
      required: `have as many elements as its data, ${data.length}`,
      got: shape,
      advice: 'Correct the shape.',
    });
  }
}

const fault = (options: Omit<ArgumentErrorOptions, 'fn'>): Error => argumentError({ fn, ...options });
