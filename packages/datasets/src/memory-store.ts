import type { ImageStore } from './image-store.ts';

/** All pixels in memory. */
export function memoryStore(pixels: Uint8Array, imageBytes: number): ImageStore {
  return {
    async read(positions, out) {
      for (const [i, position] of positions.entries()) {
        out.set(pixels.subarray(position * imageBytes, (position + 1) * imageBytes), i * imageBytes);
      }
    },
    async close() {},
  };
}
