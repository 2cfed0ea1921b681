// @ts-check
import { decodeJpeg } from './jpeg-decoder.js';
import { decodePng } from './png-decoder.js';

/** Formats that are not read, by how their files start. @type {ReadonlyArray<readonly [RegExp, string]>} */
const others = [
  [/^RIFF....WEBP/s, 'a WebP image'],
  [/^GIF8/, 'a GIF image'],
  [/^BM/, 'a BMP image'],
  [/^(II\*|MM.\*)/s, 'a TIFF image'],
  [/^....ftyp(heic|heix|mif1|msf1)/s, 'a HEIF image'],
  [/^....ftypavi[fs]/s, 'an AVIF image'],
  [/^\s*<(!doctype|html)/i, 'a page of HTML'],
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS, whose file was not fetched'],
];

/** @type {typeof import('./image-decoder.js').decodeImage} */
export async function decodeImage(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeJpeg(bytes);
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47) return decodePng(bytes);
  const start = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  const other = others.find(([pattern]) => pattern.test(start))?.[1];
  throw new Error(other ? `is ${other}, neither JPEG nor PNG` : 'is neither a JPEG nor a PNG image');
}
