/** Floats of fewer than 32 bits: a sign, an exponent, a fraction. */
interface NarrowFloat {
  readonly bits: 8 | 16;
  readonly exponentBits: number;
  readonly bias: number;
  /**
   * Which codes are no numbers: those of the highest exponent, infinity among them (`ieee`); the highest code of each sign alone (`finite`);
   * what would be -0 alone (`unsigned zero`).
   */
  readonly special: 'ieee' | 'finite' | 'unsigned zero';
}

/** Narrow floats of the format, by its names for them. Every value of each is a float32, too. */
const narrowFloats: Readonly<Record<string, NarrowFloat>> = {
  F16: { bits: 16, exponentBits: 5, bias: 15, special: 'ieee' },
  BF16: { bits: 16, exponentBits: 8, bias: 127, special: 'ieee' },
  F8_E5M2: { bits: 8, exponentBits: 5, bias: 15, special: 'ieee' },
  F8_E4M3: { bits: 8, exponentBits: 4, bias: 7, special: 'finite' },
  F8_E5M2FNUZ: { bits: 8, exponentBits: 5, bias: 16, special: 'unsigned zero' },
  F8_E4M3FNUZ: { bits: 8, exponentBits: 4, bias: 8, special: 'unsigned zero' },
};

/** Names of the dtypes that {@link widen} takes. */
export const narrowDtypes: readonly string[] = Object.keys(narrowFloats);

/** Bytes of an element of a narrow dtype; undefined for any other. */
export function narrowBytes(dtype: string): number | undefined {
  return Object.hasOwn(narrowFloats, dtype) ? (narrowFloats[dtype] as NarrowFloat).bits / 8 : undefined;
}

const tables = new Map<string, Float32Array>();

/** Narrow floats, little-endian, as float32: the same numbers. */
export function widen(dtype: string, bytes: Uint8Array): Float32Array {
  const format = narrowFloats[dtype] as NarrowFloat;
  let table = tables.get(dtype);
  if (!table) {
    table = Float32Array.from({ length: 2 ** format.bits }, (_, code) => numberOf(code, format));
    tables.set(dtype, table);
  }
  const wide = new Float32Array(bytes.length / (format.bits / 8));
  if (format.bits === 8) for (let i = 0; i < wide.length; i++) wide[i] = table[bytes[i] as number] as number;
  else {
    for (let i = 0; i < wide.length; i++) {
      wide[i] = table[(bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8)] as number;
    }
  }
  return wide;
}

function numberOf(code: number, { bits, exponentBits, bias, special }: NarrowFloat): number {
  const fractionBits = bits - 1 - exponentBits;
  const signBit = 2 ** (bits - 1);
  const highest = 2 ** exponentBits - 1;
  const sign = code & signBit ? -1 : 1;
  const exponent = (code & (signBit - 1)) >> fractionBits;
  const fraction = code & (2 ** fractionBits - 1);
  if (special === 'ieee' && exponent === highest) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (special === 'finite' && (code & (signBit - 1)) === signBit - 1) return Number.NaN;
  if (special === 'unsigned zero' && code === signBit) return Number.NaN;
  // without its leading one where the exponent is 0
  const significand = exponent === 0 ? fraction : fraction + 2 ** fractionBits;
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
}
