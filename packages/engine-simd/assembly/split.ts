/** First item of part `part` where `items` are split into `parts` of nearly the same size; their product needs 64 bits. */
export function firstOf(part: i32, parts: i32, items: i32): i32 {
  return <i32>((<u64>part * <u64>items) / <u64>parts);
}
