/** Pieces that mean something in a header. */
const pieces = [
  '"dtype":"F16",',
  '"dtype":"F4"',
  '4.0',
  '-0',
  '1e3',
  '99',
  '{',
  '}',
  '[',
  ']',
  ',',
  '"',
  '\\ud800',
  '\ufeff',
  ' ',
  '\0',
  'null',
  '"__metadata__":null,',
];

/**
 * Damaged copies of a safetensors file: bytes changed, cut, doubled or put in, in the header mostly; where the length of the header changes, its
 * eight bytes follow in half of them. The same seed gives the same files.
 */
export function* mutatedSafetensors(whole: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const headerEnd = 8 + Number(new DataView(whole.buffer, whole.byteOffset).getBigUint64(0, true));
  for (let i = 0; i < count; i++) {
    let bytes = [...whole];
    let grown = 0;
    for (let change = below(2); change >= 0; change--) {
      const inHeader = below(3) > 0;
      const at = inHeader ? 8 + below(headerEnd - 8) : below(bytes.length);
      const kind = below(6);
      const length = 1 + below(6);
      if (kind === 0) bytes[at] = below(256);
      else if (kind === 1) bytes[at] = (bytes[at] as number) ^ (1 << below(8));
      else if (kind === 2) bytes[at] = 48 + below(10);
      else {
        const piece = new TextEncoder().encode(pieces[below(pieces.length)] as string);
        const put = kind === 3 ? [] : kind === 4 ? bytes.slice(at, at + length) : [...piece];
        const before = bytes.length;
        bytes.splice(at, kind === 4 ? 0 : below(2) * length, ...put);
        if (inHeader) grown += bytes.length - before;
      }
    }
    if (below(12) === 0) bytes = bytes.slice(0, below(bytes.length));
    const damaged = Uint8Array.from(bytes);
    if (damaged.length >= 8 && below(8) > 0) {
      new DataView(damaged.buffer).setBigUint64(0, BigInt(Math.max(0, headerEnd - 8 + grown)), true);
    }
    yield damaged;
  }
}
