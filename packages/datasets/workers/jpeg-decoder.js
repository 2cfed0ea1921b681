// @ts-check
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import decodeWithLibjpeg, { init } from '@jsquash/jpeg/decode.js';
import { decodeCmykJpeg } from './jpeg-cmyk.js';
import { readJpegMarkers } from './jpeg-markers.js';

/** Pixels from which on the decoder's memory, which never shrinks, is given back after a picture. */
const large = 8_000_000;

/** What libjpeg printed while it decoded the current image: its first warning, or why it gave up. @type {string[]} */
let complaints = [];

/** @type {WebAssembly.Module | undefined} */
let module;
let ready = false;

async function prepare() {
  // In Node the codec cannot fetch its WebAssembly itself.
  module ??= new WebAssembly.Module(
    readFileSync(fileURLToPath(import.meta.resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm'))),
  );
  const start = /** @type {(module: WebAssembly.Module, options: object) => Promise<void>} */ (
    /** @type {unknown} */ (init)
  );
  await start(module, { printErr: (/** @type {string} */ line) => complaints.push(line) });
  ready = true;
}

/**
 * Decodes JPEG bytes to RGB as Pillow does. What is cut short or damaged is refused, though libjpeg fills what is missing
 * with gray; bytes between the last pixel and the end marker do no harm.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<{ width: number, height: number, data: Uint8Array<ArrayBuffer> }>}
 * @throws Error with the reason alone
 */
export async function decodeJpeg(bytes) {
  const whole = readJpegMarkers(bytes);
  if (whole.components === 4) return decodeCmykJpeg(whole.bytes);
  if (!ready) await prepare();
  complaints = [];
  let image;
  try {
    // The binding takes any view of bytes, though its type asks for a buffer.
    image = await decodeWithLibjpeg(/** @type {ArrayBuffer} */ (/** @type {unknown} */ (whole.bytes)));
  } catch {
    ready = false; // libjpeg left by exit(): the instance is not used again
    throw new Error(`is not a readable JPEG: ${complaints.at(-1) ?? 'the decoder failed'}`);
  }
  if (whole.width * whole.height > large) ready = false;
  const fault = complaints.find((line) => !/extraneous bytes before marker 0xd9/.test(line));
  if (fault) throw new Error(`is a damaged JPEG: ${fault}`);
  return withoutAlpha(image);
}

/** @param {{ width: number, height: number, data: ArrayLike<number> }} image */
function withoutAlpha({ width, height, data }) {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return { width, height, data: rgb };
}
