// @ts-check
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import decodePng, { init as initPng } from '@jsquash/png/decode.js';

/** @param {string} specifier */
function compile(specifier) {
  // In Node the codecs cannot fetch their WebAssembly themselves.
  return new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve(specifier))));
}

/** What libjpeg printed while it decoded the current image. @type {string[]} */
let complaints = [];

/** @type {WebAssembly.Module | undefined} */
let jpegModule;
let jpegReady = false;

async function prepareJpeg() {
  jpegModule ??= compile('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm');
  const start = /** @type {(module: WebAssembly.Module, options: object) => Promise<void>} */ (
    /** @type {unknown} */ (initJpeg)
  );
  await start(jpegModule, { printErr: (/** @type {string} */ line) => complaints.push(line) });
  jpegReady = true;
}

/** @type {Promise<unknown> | undefined} */
let pngReady;

/**
 * Decodes JPEG or PNG bytes to RGB, as Pillow's `Image.open(file).convert('RGB')`: gray is repeated, alpha is dropped,
 * the EXIF orientation is left alone.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<{ width: number, height: number, data: Uint8Array<ArrayBuffer> }>}
 * @throws Error with the reason alone
 */
export async function decodeImage(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return decodeAsJpeg(bytes);
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47) return decodeAsPng(bytes);
  throw new Error('is neither a JPEG nor a PNG image');
}

/** @param {Uint8Array} bytes */
async function decodeAsJpeg(bytes) {
  if (!jpegReady) await prepareJpeg();
  complaints = [];
  let image;
  try {
    // The binding takes any view of bytes, though its type asks for a buffer.
    image = await decodeJpeg(/** @type {ArrayBuffer} */ (/** @type {unknown} */ (bytes)));
  } catch {
    jpegReady = false; // libjpeg left by exit(): the instance is not used again
    throw new Error(`is not a readable JPEG: ${complaints.at(-1) ?? 'the decoder failed'}`);
  }
  // libjpeg fills what is missing with gray and only warns.
  const fault = complaints.find((line) => /^(Premature end|Corrupt JPEG data)/.test(line));
  if (fault) throw new Error(`is a damaged JPEG: ${fault}`);
  return dropAlpha(image);
}

/** @param {Uint8Array} bytes */
async function decodeAsPng(bytes) {
  pngReady ??= initPng(compile('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'));
  await pngReady;
  let image;
  try {
    image = await decodePng(/** @type {ArrayBuffer} */ (/** @type {unknown} */ (bytes)));
  } catch {
    throw new Error('is not a readable PNG: it is damaged or cut short');
  }
  return dropAlpha(image);
}

/** @param {{ width: number, height: number, data: ArrayLike<number> }} image */
function dropAlpha({ width, height, data }) {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return { width, height, data: rgb };
}
