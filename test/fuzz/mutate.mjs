/** Numbers at which readers tend to fail. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0xfe];

/**
 * A damaged copy of one of the files.
 *
 * @param {readonly Uint8Array[]} files
 * @param {(bound: number) => number} random
 */
export function mutate(files, random) {
  let bytes = Buffer.from(files[random(files.length)]);
  for (let times = 1 + random(4); times > 0; times--) {
    // Half of the changes hit the first or last bytes, where headers and directories are.
    const reach = random(2) ? bytes.length : Math.min(bytes.length, 200);
    const at = random(4) === 0 ? bytes.length - 1 - random(reach) : random(reach);
    const length = 1 + random(Math.min(64, bytes.length));
    const change = random(7);
    if (bytes.length < 4) break;
    if (change === 0) bytes[at] ^= 1 << random(8);
    else if (change === 1) bytes[at] = edges[random(edges.length)];
    else if (change === 2) bytes = bytes.subarray(0, Math.max(1, at));
    else if (change === 3) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (change === 4)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
    else if (change === 5)
      for (let i = at; i < Math.min(bytes.length, at + 4); i++) bytes[i] = edges[random(edges.length)];
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(Array.from({ length }, () => random(256))),
        bytes.subarray(at),
      ]);
  }
  return Buffer.from(bytes);
}
