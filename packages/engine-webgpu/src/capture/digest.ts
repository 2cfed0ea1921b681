/**
 * A short text that stands for bytes: equal bytes have equal ones, and others practically never.
 *
 * Two 32-bit FNV-1a hashes from different starts; not for secrets.
 */
export function digest(bytes: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x01000193) ^ (b >>> 15);
  }
  return [a, b].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
}
