import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import encodeJpegPixels, { init as initJpeg } from '@jsquash/jpeg/encode.js';
import encodePngPixels, { init as initPng } from '@jsquash/png/encode.js';
import { onTestFinished } from 'vitest';

/** A file of a test's data set. */
export interface TestFile {
  readonly name: string;
  /** What a zip has in the place of the name's UTF-8. */
  readonly nameBytes?: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-datasets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const compile = (specifier: string) =>
  new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve(specifier)));
const ready = Promise.all([
  (initJpeg as unknown as (module: WebAssembly.Module) => Promise<void>)(
    compile('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'),
  ),
  initPng(compile('@jsquash/png/codec/pkg/squoosh_png_bg.wasm')),
]);

/** RGBA pixels of which every image has others: a formula of place and seed. */
function testPixels(width: number, height: number, seed: number): ImageData {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      data[at] = (x * 5 + y * 3 + seed * 17) % 256;
      data[at + 1] = (x * y + seed * 29) % 256;
      data[at + 2] = (x * x + 7 * y + seed * 41) % 256;
      data[at + 3] = 255;
    }
  }
  return { data, width, height, colorSpace: 'srgb' } as ImageData;
}

/** JPEG bytes of `testPixels`; `gray` makes a file of one channel. */
export async function testJpeg(width: number, height: number, seed: number, gray = false): Promise<Uint8Array> {
  await ready;
  const options = gray ? { color_space: 1 } : {};
  return new Uint8Array(await encodeJpegPixels(testPixels(width, height, seed), options));
}

/** PNG bytes of `testPixels`. */
export async function testPng(width: number, height: number, seed: number): Promise<Uint8Array> {
  await ready;
  return new Uint8Array(await encodePngPixels(testPixels(width, height, seed)));
}

/** A data set in the layout of Tiny ImageNet: classes n01, n02 ..., listed unsorted; 64x64. */
export async function tinyFiles(options: { classes?: number; train?: number; val?: number } = {}): Promise<TestFile[]> {
  const { classes = 4, train = 3, val = 2 } = options;
  const root = 'tiny-imagenet-200';
  const text = (name: string, lines: string[]): TestFile => ({
    name: `${root}/${name}`,
    bytes: new TextEncoder().encode(`${lines.join('\n')}\n`),
  });
  const names = Array.from({ length: classes }, (_, i) => `n0${i + 1}`);
  const files = [
    text('wnids.txt', names.toReversed()),
    text(
      'words.txt',
      names.map((name) => `${name}\tthing`),
    ),
  ];
  for (const [label, name] of names.entries()) {
    files.push(text(`train/${name}/${name}_boxes.txt`, ['-']));
    // Numbers 0, 5, 10 ...: as text, 10 sorts before 5.
    for (let i = 0; i < train; i++) {
      const bytes = await testJpeg(64, 64, label * 100 + i, i === 1);
      files.push({ name: `${root}/train/${name}/images/${name}_${i * 5}.JPEG`, bytes });
    }
  }
  const annotations: string[] = [];
  for (let i = 0; i < classes * val; i++) {
    const bytes = await testJpeg(64, 64, 1000 + i);
    files.push({ name: `${root}/val/images/val_${i}.JPEG`, bytes });
    annotations.push(`val_${i}.JPEG\t${names[(i * 3) % classes]}\t0\t0\t63\t63`);
  }
  files.push(text('val/val_annotations.txt', annotations));
  files.push({ name: `${root}/test/images/test_0.JPEG`, bytes: await testJpeg(64, 64, 5000) });
  return files;
}

/** Writes files below a folder. */
export async function writeFolder(folder: string, files: readonly TestFile[]): Promise<void> {
  for (const { name, bytes } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

/** Zip bytes: stored or deflated; `zip64` writes every number in its long form. */
export function zipBytes(
  files: readonly TestFile[],
  options: { deflate?: boolean; zip64?: boolean; comment?: string; flags?: number; method?: number } = {},
): Buffer {
  const { deflate = false, zip64 = false, comment = '', flags = 0, method = deflate ? 8 : 0 } = options;
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes, nameBytes = Buffer.from(name) } of files) {
    const packed = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(nameBytes.length, 26);
    local.writeUInt16LE(5, 28); // an extra field that the directory does not have
    parts.push(local, nameBytes, Buffer.alloc(5), packed);
    const extra = Buffer.alloc(zip64 ? 33 : 0);
    if (zip64) {
      extra.writeUInt16LE(0x5455, 0); // another field before the one that counts
      extra.writeUInt16LE(1, 2);
      extra.writeUInt16LE(1, 5);
      extra.writeUInt16LE(24, 7);
      [bytes.length, packed.length, offset].forEach((value, i) => {
        extra.writeBigUInt64LE(BigInt(value), 9 + 8 * i);
      });
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc32(bytes), 16);
    central.writeUInt32LE(zip64 ? 0xffffffff : packed.length, 20);
    central.writeUInt32LE(zip64 ? 0xffffffff : bytes.length, 24);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
    directory.push(central, nameBytes, extra);
    offset += 35 + nameBytes.length + packed.length;
  }
  const length = directory.reduce((sum, { length }) => sum + length, 0);
  const tail: Buffer[] = [];
  if (zip64) {
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50);
    record.writeBigUInt64LE(44n, 4);
    for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(files.length), at);
    record.writeBigUInt64LE(BigInt(length), 40);
    record.writeBigUInt64LE(BigInt(offset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50);
    locator.writeBigUInt64LE(BigInt(offset + length), 8);
    locator.writeUInt32LE(1, 16);
    tail.push(record, locator);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  for (const at of [8, 10]) end.writeUInt16LE(zip64 ? 0xffff : files.length, at);
  end.writeUInt32LE(zip64 ? 0xffffffff : length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, ...directory, ...tail, end, Buffer.from(comment)]);
}
