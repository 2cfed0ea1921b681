// Job descriptors and tables are sequences of 32-bit words.

/** Word `i`, an integer. */
export function int(base: usize, i: i32): i32 {
  return load<i32>(base + ((<usize>i) << 2));
}

/** Word `i`, an address. */
export function pointer(base: usize, i: i32): usize {
  return <usize>load<u32>(base + ((<usize>i) << 2));
}

/** Word `i`, a float32. */
export function real(base: usize, i: i32): f32 {
  return load<f32>(base + ((<usize>i) << 2));
}

/** Writes an address into word `i`. */
export function setPointer(base: usize, i: i32, value: usize): void {
  store<u32>(base + ((<usize>i) << 2), <u32>value);
}

/** Bytes of `n` float32. */
export function floats(n: i32): usize {
  return (<usize>n) << 2;
}
