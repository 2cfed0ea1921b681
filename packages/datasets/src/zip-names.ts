import { crc32 } from 'node:zlib';

/** Code page 437 from 128 on: what names are in that are not UTF-8, by the zip specification. */
const upperHalf =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/**
 * The name of a zip entry with slashes, relative to the root of the zip.
 *
 * Many programs write UTF-8 without saying so (flag 11), so every name is taken for UTF-8 that can be; others are of code
 * page 437, so that names that differ stay different. A name in extra field 0x7075 (Info-ZIP) comes first.
 *
 * @param bytes - the directory.
 * @param start - where the name starts, and `end` where it ends and the extra fields start.
 * @param extraEnd - where these end.
 * @param isUtf8 - whether flag 11 is set.
 * @returns the name; null if the flag is set but the bytes are not UTF-8.
 */
export function entryName(bytes: Buffer, start: number, end: number, extraEnd: number, isUtf8: boolean): string | null {
  let name = bytes.toString('utf8', start, end);
  if (name.includes('\ufffd')) {
    const raw = bytes.subarray(start, end);
    if (!raw.equals(Buffer.from(name))) {
      if (isUtf8) return null;
      name = unicodeName(raw, bytes.subarray(end, extraEnd)) ?? cp437(raw);
    }
  }
  return withSlashes(name);
}

function cp437(raw: Buffer): string {
  return Array.from(raw, (byte) => (byte < 128 ? String.fromCharCode(byte) : upperHalf[byte - 128])).join('');
}

/** The name in extra field 0x7075: version 1, CRC-32 of the plain name, UTF-8. */
function unicodeName(raw: Buffer, extra: Buffer): string | undefined {
  for (let at = 0; at + 9 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 0x7075 || extra[at + 4] !== 1 || extra.readUInt32LE(at + 5) !== crc32(raw)) continue;
    return extra.toString('utf8', at + 9, at + 4 + extra.readUInt16LE(at + 2));
  }
  return undefined;
}

/** Turns backslashes of Windows programs into slashes; takes out `./`, `../` and a slash in front. */
function withSlashes(name: string): string {
  if (!/\\|(^|\/)\.{0,2}\//.test(name)) return name;
  const parts = name.split(/[\\/]/);
  const isFolder = parts.at(-1) === '';
  return parts.filter((part) => part !== '' && part !== '.' && part !== '..').join('/') + (isFolder ? '/' : '');
}
