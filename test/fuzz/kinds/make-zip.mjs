import { crc32, deflateRawSync } from 'node:zlib';

/** Bytes of little-endian numbers: pairs of size and value. @param {...readonly [size: number, value: number]} numbers */
function fields(...numbers) {
  const bytes = Buffer.alloc(numbers.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, size);
    at += size;
  }
  return bytes;
}

/**
 * A zip: deflated or stored, with Zip64 records, with sizes behind the data (descriptors), with a comment.
 *
 * @param {ReadonlyArray<{ name: string, bytes: Uint8Array }>} entries
 * @param {{ deflate?: boolean, zip64?: boolean, descriptors?: boolean, comment?: string }} options
 */
export function zipOf(entries, { deflate = false, zip64 = false, descriptors = false, comment = '' } = {}) {
  const parts = [];
  const directory = [];
  let offset = 0;
  const [method, flags] = [deflate ? 8 : 0, descriptors ? 8 : 0];
  for (const { name, bytes } of entries) {
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const [checksum, path] = [crc32(bytes), Buffer.from(name)];
    const sizes = [packed.length, bytes.length];
    const early = descriptors ? [0, 0, 0] : [checksum, ...sizes];
    const local = [
      fields(
        [4, 0x04034b50],
        [2, 20],
        [2, flags],
        [2, method],
        [4, 0],
        ...early.map((value) => [4, value]),
        [2, path.length],
        [2, 0],
      ),
      path,
      packed,
      descriptors ? fields([4, 0x08074b50], [4, checksum], [4, sizes[0]], [4, sizes[1]]) : Buffer.alloc(0),
    ];
    const long = zip64 ? fields([2, 1], [2, 24], [8, sizes[1]], [8, sizes[0]], [8, offset]) : Buffer.alloc(0);
    const short = zip64 ? [0xffffffff, 0xffffffff] : sizes;
    directory.push(
      fields(
        [4, 0x02014b50],
        [2, 20],
        [2, 20],
        [2, flags],
        [2, method],
        [4, 0],
        [4, checksum],
        [4, short[0]],
        [4, short[1]],
      ),
      fields([2, path.length], [2, long.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, zip64 ? 0xffffffff : offset]),
      path,
      long,
    );
    parts.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  const long = zip64
    ? [
        fields(
          [4, 0x06064b50],
          [8, 44],
          [2, 45],
          [2, 45],
          [4, 0],
          [4, 0],
          [8, count],
          [8, count],
          [8, length],
          [8, offset],
        ),
        fields([4, 0x07064b50], [4, 0], [8, offset + length], [4, 1]),
      ]
    : [];
  const [shortCount, shortLength, shortOffset] = zip64 ? [0xffff, 0xffffffff, 0xffffffff] : [count, length, offset];
  const end = fields(
    [4, 0x06054b50],
    [4, 0],
    [2, shortCount],
    [2, shortCount],
    [4, shortLength],
    [4, shortOffset],
    [2, comment.length],
  );
  return Buffer.concat([...parts, ...directory, ...long, end, Buffer.from(comment)]);
}
