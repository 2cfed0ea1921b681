import type { World } from '@tfjs-ssl/ops';

/** Elements that are added at a time, so that they stay in the first cache. */
const blockLength = 2048;

/**
 * Adds arrays over all ranks in place, in half the bytes: values travel as bfloat16, the upper half of a float32, and are added as float32.
 *
 * Every rank adds one part of an array. Each value is rounded twice, to the nearest (ties to even): before it is sent, and as a sum. All ranks
 * get the same bits.
 *
 * @returns a function that adds an array. It keeps its buffers for the next one.
 */
export function bfloat16Sum(world: World): (data: Float32Array) => void {
  const { size } = world;
  const [part, term] = [new Float32Array(blockLength), new Float32Array(blockLength)];
  let [first, second] = [new Uint16Array(0), new Uint16Array(0)];
  return (data) => {
    const length = Math.ceil(data.length / size);
    const whole = length * size;
    if (first.length < whole) [first, second] = [new Uint16Array(whole), new Uint16Array(whole)];
    const [sent, received] = [first.subarray(0, whole), second.subarray(0, whole)];
    toBfloat16(data, sent);
    sent.fill(0, data.length);
    world.allToAll(sent, received);
    const rounded = received.subarray(0, length); // what it overwrites has been added by then
    for (let from = 0; from < length; from += blockLength) {
      const count = Math.min(blockLength, length - from);
      const block = part.subarray(0, count).fill(0);
      for (let rank = 0; rank < size; rank++) {
        const start = rank * length + from;
        fromBfloat16(received.subarray(start, start + count), term);
        for (let i = 0; i < count; i++) block[i] = (block[i] as number) + (term[i] as number);
      }
      toBfloat16(block, rounded.subarray(from, from + count));
    }
    world.allGather(rounded, sent);
    fromBfloat16(sent.subarray(0, data.length), data);
  };
}

/** Rounds to the nearest bfloat16, ties to even; NaN stays NaN, and what is too large becomes infinite. */
export function toBfloat16(values: Float32Array, result: Uint16Array): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] as number;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    result[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** The float32 of the same value. */
export function fromBfloat16(halves: Uint16Array, result: Float32Array): void {
  const bits = new Int32Array(result.buffer, result.byteOffset, result.length);
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
}
