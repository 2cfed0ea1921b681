/** Bytes of square RGB images that compress badly, the same every time: shape [images, size, size, 3]. */
export const somePixels = (images: number, size: number): Uint8Array =>
  Uint8Array.from({ length: images * size * size * 3 }, (_, i) => (i * 89 + 17 * (i >> 8)) % 256);
