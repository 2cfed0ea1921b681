import type { World } from '@tfjs-ssl/ops';

/**
 * Adds an array over all ranks in place, in half the bytes: values travel as bfloat16, the upper half of a float32, and are added as float32.
 *
 * Every rank adds one part of the array. Each value is rounded twice, to the nearest (ties to even): before it is sent, and as a sum. All ranks
 * get the same bits.
 */
export function sumAsBfloat16(world: World, data: Float32Array): void {
  const { size } = world;
  const length = Math.ceil(data.length / size);
  const sent = new Uint16Array(length * size); // zeros after the end
  toBfloat16(data, sent);
  const received = new Uint16Array(sent.length);
  world.allToAll(sent, received);
  const [part, term] = [new Float32Array(length), new Float32Array(length)];
  for (let rank = 0; rank < size; rank++) {
    fromBfloat16(received.subarray(rank * length, (rank + 1) * length), term);
    for (let i = 0; i < length; i++) part[i] = (part[i] as number) + (term[i] as number);
  }
  const rounded = new Uint16Array(length);
  toBfloat16(part, rounded);
  world.allGather(rounded, sent);
  fromBfloat16(sent.subarray(0, data.length), data);
}

/** Rounds to the nearest bfloat16, ties to even; NaN stays NaN, and what is too large becomes infinite. */
export function toBfloat16(values: Float32Array, result: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] as number;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    result[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** The float32 of the same value. */
export function fromBfloat16(halves: Uint16Array, result: Float32Array): void {
  const bits = new Uint32Array(result.buffer, result.byteOffset, result.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
}
