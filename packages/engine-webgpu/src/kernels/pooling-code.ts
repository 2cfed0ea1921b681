import type { Memory } from '../memory.ts';
import { numbersCode } from '../numbers-code.ts';
import { valueType } from './channel-tiles.ts';

/** WGSL that both directions begin with. */
const header = (width: 1 | 4): string => `
  alias Value = ${valueType(width)};
  alias Mask = ${width === 4 ? 'vec4<bool>' : 'bool'};

  // First and last row (or column) of the window of output row (or column) \`place\` that lie within the input.
  fn span(place: i32, stride: i32, padding: i32, extent: i32, size: i32) -> vec2i {
    let begin = place * stride - padding;
    return vec2i(max(begin, 0), min(begin + extent, size) - 1);
  }

  fn rowsOf(place: i32) -> vec2i {
    return span(place, uniforms.strideY, uniforms.top, uniforms.filterHeight, uniforms.height);
  }

  fn columnsOf(place: i32) -> vec2i {
    return span(place, uniforms.strideX, uniforms.left, uniforms.filterWidth, uniforms.width);
  }`;

/** Maximum of a window for each thread, NaN where it has one; positions outside do not count. */
export const maxPoolCode = (width: 1 | 4, memory: Memory): string => `
  ${header(width)}
  ${numbersCode(valueType(width))}

  @compute @workgroup_size(256)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = i32(id.x + id.y * groups.x * 256);
    if (i >= uniforms.size) { return; }
    let channel = i % uniforms.channels;
    let column = i / uniforms.channels % uniforms.outputWidth;
    let row = i / uniforms.channels / uniforms.outputWidth % uniforms.outputHeight;
    let image = i / uniforms.channels / uniforms.outputWidth / uniforms.outputHeight;
    let rows = rowsOf(row);
    let columns = columnsOf(column);
    var best = ${memory.load('x', '((image * uniforms.height + rows.x) * uniforms.width + columns.x) * uniforms.channels + channel')};
    for (var y = rows.x; y <= rows.y; y++) {
      for (var j = columns.x; j <= columns.y; j++) {
        best = larger(best, ${memory.load('x', '((image * uniforms.height + y) * uniforms.width + j) * uniforms.channels + channel')});
      }
    }
    ${memory.store('output', 'i', 'best')}
  }`;

/** The gradient of an input position for each thread: dy of the windows whose first maximum it is. */
export const maxPoolGradientCode = (width: 1 | 4, memory: Memory): string => `
  ${header(width)}
  const NONE = Mask();

  // Windows that have a row (or column): first and last.
  fn windows(place: i32, stride: i32, padding: i32, extent: i32, count: i32) -> vec2i {
    let last = place + padding;
    let first = max(last - extent + stride, 0) / stride;
    return vec2i(first, min(last / stride, count - 1));
  }

  @compute @workgroup_size(256)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = i32(id.x + id.y * groups.x * 256);
    if (i >= uniforms.size) { return; }
    let channel = i % uniforms.channels;
    let column = i / uniforms.channels % uniforms.width;
    let row = i / uniforms.channels / uniforms.width % uniforms.height;
    let image = i / uniforms.channels / uniforms.width / uniforms.height;
    let value = ${memory.load('x', 'i')};
    let across = windows(column, uniforms.strideX, uniforms.left, uniforms.filterWidth, uniforms.outputWidth);
    let down = windows(row, uniforms.strideY, uniforms.top, uniforms.filterHeight, uniforms.outputHeight);
    var sum = Value();
    for (var p = down.x; p <= down.y; p++) {
      for (var q = across.x; q <= across.y; q++) {
        let at = ((image * uniforms.outputHeight + p) * uniforms.outputWidth + q) * uniforms.channels + channel;
        var takes = value == ${memory.load('output', 'at')};
        if (!any(takes)) { continue; }
        // An earlier position of the window that is as large has the gradient instead.
        let rows = rowsOf(p);
        let columns = columnsOf(q);
        for (var y = rows.x; y <= row; y++) {
          let until = select(columns.y, column - 1, y == row);
          for (var j = columns.x; j <= until; j++) {
            let earlier = ${memory.load('x', '((image * uniforms.height + y) * uniforms.width + j) * uniforms.channels + channel')};
            takes = select(takes, NONE, earlier == ${memory.load('output', 'at')});
          }
        }
        sum += select(Value(), ${memory.load('dy', 'at')}, takes);
      }
    }
    ${memory.store('dx', 'i', 'sum')}
  }`;

/** Mean over all positions: a workgroup takes 16 channels of an image, its threads stand in 16 rows and add in a fixed order. */
export const globalAverageCode = (memory: Memory): string => `
  var<workgroup> sums: array<f32, 256>;

  @compute @workgroup_size(256)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let channel = group.x * 16 + thread % 16;
    let image = group.y + group.z * ${1 << 15};
    var sum = 0f;
    if (channel < uniforms.channels && image < uniforms.images) {
      for (var position = thread / 16; position < uniforms.positions; position += 16) {
        sum += ${memory.load('x', '(image * uniforms.positions + position) * uniforms.channels + channel')};
      }
    }
    sums[thread] = sum;
    for (var half = 128u; half >= 16; half /= 2) {
      workgroupBarrier();
      if (thread < half) { sums[thread] += sums[thread + half]; }
    }
    if (thread < 16 && channel < uniforms.channels && image < uniforms.images) {
      output[image * uniforms.channels + channel] = sums[thread] / f32(uniforms.positions);
    }
  }`;

/** The gradient of the mean: dy / positions everywhere. */
export const globalAverageGradientCode = (width: 1 | 4, memory: Memory): string => `
  @compute @workgroup_size(256)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 256;
    if (i >= uniforms.size) { return; }
    let image = i / (uniforms.channels * uniforms.positions);
    ${memory.store('dx', 'i', `${memory.load('dy', 'image * uniforms.channels + i % uniforms.channels')} / ${width === 4 ? 'vec4f(f32(uniforms.positions))' : 'f32(uniforms.positions)'}`)}
  }`;
