// Where windows of a filter lie on an axis: window i begins `margin` before position i * stride, and what it has outside is left out. Depthwise
// convolutions share none of this: their windows may have gaps (dilation), so each tap looks where it is.

/** First position of a window. */
// @ts-expect-error: a decorator of the compiler
@inline
export function windowStart(i: i32, stride: i32, margin: i32): i32 {
  return max(0, i * stride - margin);
}

/** Position behind a window. */
// @ts-expect-error: a decorator of the compiler
@inline
export function windowEnd(i: i32, stride: i32, margin: i32, filter: i32, size: i32): i32 {
  return min(size, i * stride - margin + filter);
}

/** First window that reaches a position. */
// @ts-expect-error: a decorator of the compiler
@inline
export function firstWindow(position: i32, stride: i32, margin: i32, filter: i32): i32 {
  return position + margin < filter ? 0 : (position + margin - filter) / stride + 1;
}

/** Window behind the last that reaches a position. */
// @ts-expect-error: a decorator of the compiler
@inline
export function endWindow(position: i32, stride: i32, margin: i32, windows: i32): i32 {
  return min(windows, (position + margin) / stride + 1);
}
