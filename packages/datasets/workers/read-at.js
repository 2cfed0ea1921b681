// @ts-check
import { readSync } from 'node:fs';

/** @type {typeof import('./read-at.js').fill} */
export async function fill(file, bytes, position) {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** @type {typeof import('./read-at.js').fillSync} */
export function fillSync(descriptor, bytes, position) {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(descriptor, bytes, done, bytes.length - done, position + done);
    if (count === 0) return false;
    done += count;
  }
  return true;
}
