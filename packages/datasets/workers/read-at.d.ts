import type { FileHandle } from 'node:fs/promises';

/** Reads at a position until the buffer is full; false where the file ends before. */
export function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<boolean>;
/** The same by a descriptor, blocking: in a worker nothing else waits. */
export function fillSync(descriptor: number, bytes: Uint8Array, position: number): boolean;
