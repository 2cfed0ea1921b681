import { describe, expect, it } from 'vitest';
import { crc32c, maskedCrc32c } from './crc32c.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('crc32c', () => {
  it.each([
    ['nothing', new Uint8Array(), 0],
    ["the standard's check value", ascii('123456789'), 0xe3069283],
    ['32 zeros, RFC 3720', new Uint8Array(32), 0x8a9136aa],
    ['32 ones, RFC 3720', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['ascending bytes, RFC 3720', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ])('sums up %s', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });

  it('masks by rotating 15 bits and adding', () => {
    // e3069283 rotated right by 15 is 2507c60d; plus a282ead8 is c78ab0e5
    expect(maskedCrc32c(ascii('123456789'))).toBe(0xc78ab0e5);
  });
});
