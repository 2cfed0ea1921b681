import type { DecodedImage } from './decode-worker.js';

/**
 * Decodes JPEG or PNG bytes to RGB, as Pillow's `Image.open(file).convert('RGB')`: gray is repeated, alpha is dropped,
 * the EXIF orientation is left alone.
 *
 * @throws Error with the reason alone; the caller names the file.
 */
export function decodeImage(bytes: Uint8Array): Promise<DecodedImage>;
