import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readZipDirectory } from '../../../packages/datasets/dist/zip-directory.js';
import { readReference } from '../../../packages/datasets/workers/file-reader.js';
import { zipOf } from './make-zip.mjs';

const text = (length) => Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * i) % 23)));
const entries = [
  { name: 'a/1.txt', bytes: text(50) },
  { name: 'b/2.txt', bytes: text(300) },
  { name: 'b/', bytes: text(0) },
];

export const files = () =>
  [{}, { deflate: true }, { zip64: true }, { deflate: true, descriptors: true }, { comment: 'a comment' }].map(
    (options) => zipOf(entries, options),
  );

const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** All files of the zip, sorted by name, as a digest. @param {Uint8Array} bytes */
export async function read(bytes) {
  const path = join(folder, 'x.zip');
  writeFileSync(path, bytes);
  const { files: found } = await readZipDirectory(path);
  const hash = createHash('sha256');
  try {
    for (const name of [...found.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const entry = found.get(name);
      hash.update(`${name}\n`);
      if (entry.size > 0 || entry.compressedSize > 0) hash.update(readReference({ name, path, entry }));
    }
    return hash.digest('hex');
  } finally {
    await nextTurn(); // the zip is closed then: the next one has its path
  }
}

/** @param {Error} error */
export function isOurs(error) {
  return error.constructor === Error && /^(readZipDirectory: |is |lies )/.test(error.message);
}

// Python takes names without flag 11 for code page 437 even where they are UTF-8, and keeps backslashes and dots.
export const python = `
import zipfile
def read(data):
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = {info.filename: info for info in archive.infolist() if not info.filename.endswith('/')}
    digest = hashlib.sha256()
    for name in sorted(names, key=lambda name: name.encode()):
        digest.update((name + chr(10)).encode())
        digest.update(archive.read(names[name]))
    return digest.hexdigest()
`;
