// @ts-check
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import decodeWithLibjpeg, { init } from '@jsquash/jpeg/decode.js';
import { decodeCmykJpeg } from './jpeg-cmyk.js';
import { damaged, readJpegMarkers } from './jpeg-markers.js';
import { soundJpeg } from './jpeg-sound.js';

/** Pixels from which on the decoder's memory, which never shrinks, is given back after a picture. */
const large = 8_000_000;

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

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
 * with gray. Bytes between segments, scans and before the end marker do no harm where the data of all scans are sound.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<{ width: number, height: number, data: Uint8Array<ArrayBuffer> }>}
 * @throws Error with the reason alone
 */
export async function decodeJpeg(bytes) {
  const whole = readJpegMarkers(bytes);
  if (whole.components === 4) return decodeCmykJpeg(whole.bytes);
  let image = await withLibjpeg(whole);
  if (whole.doubtful || complaints.some((line) => /extraneous bytes before marker/.test(line))) {
    image = await withLibjpeg({ ...whole, bytes: soundJpeg(whole.bytes) });
  }
  if (complaints.length > 0) throw damaged(/** @type {string} */ (complaints[0]));
  return withoutAlpha(image);
}

/** @param {{ bytes: Uint8Array, width: number, height: number }} jpeg */
async function withLibjpeg({ bytes, width, height }) {
  if (!ready) await prepare();
  complaints = [];
  try {
    // The binding takes any view of bytes, though its type asks for a buffer.
    const image = await decodeWithLibjpeg(/** @type {ArrayBuffer} */ (/** @type {unknown} */ (bytes)));
    if (width * height > large) ready = false;
    return image;
  } catch {
    ready = false; // libjpeg left by exit(): the instance is not used again
    throw new Error(`is not a readable JPEG: ${complaints.at(-1) ?? 'the decoder failed'}`);
  }
}

/** RGBA to RGB: four pixels at a time, of four 32-bit words three. @param {ImageData} image */
function withoutAlpha({ width, height, data }) {
  const rgb = new Uint8Array(width * height * 3);
  const pixels = littleEndian ? width * height - ((width * height) % 4) : 0;
  const from = new Uint32Array(data.buffer, data.byteOffset, pixels);
  const to = new Uint32Array(rgb.buffer, 0, (pixels / 4) * 3);
  for (let pixel = 0, word = 0; pixel < pixels; pixel += 4, word += 3) {
    const second = from[pixel + 1];
    const third = from[pixel + 2];
    to[word] = (from[pixel] & 0xffffff) | (second << 24);
    to[word + 1] = ((second >>> 8) & 0xffff) | (third << 16);
    to[word + 2] = ((third >>> 16) & 0xff) | (from[pixel + 3] << 8);
  }
  for (let pixel = pixels; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) rgb[3 * pixel + channel] = data[4 * pixel + channel];
  }
  return { width, height, data: rgb };
}
