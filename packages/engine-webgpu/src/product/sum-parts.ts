import type { ProductShader } from './product.ts';

const THREADS = 256;

/**
 * Sums the parts of a split product: result[i] = sum over p of parts[p, i], in an order that the sizes alone decide; plus addend[i], where
 * there is one.
 *
 * Threads of a workgroup share long sums: each adds a run of neighbouring parts, then the runs are added in order.
 */
export function sumParts(size: number, parts: number, addend = false): ProductShader {
  const vector = size % 4 === 0;
  const type = vector ? 'vec4f' : 'f32';
  const elements = vector ? size / 4 : size;
  const runs = Math.min(16, 2 ** Math.floor(Math.log2(Math.max(1, parts / 4))));
  const run = Math.ceil(parts / runs);
  const width = THREADS / runs;
  const workgroups = Math.ceil(elements / width);
  const y = Math.ceil(workgroups / 65535);
  const x = Math.ceil(workgroups / y);
  return {
    key: `SumParts ${size} ${parts}${addend ? ' +' : ''}`,
    enable: [],
    buffers: [
      { name: 'parts', type: `array<${type}>` },
      { name: 'result', value: type },
      ...(addend ? [{ name: 'addend', value: type } as const] : []),
    ],
    workgroups: [x, y],
    code: (memory) => `
var<workgroup> runs: array<${type}, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let element = (workgroup.x + workgroup.y * ${x}u) * ${width}u + thread % ${width}u;
  let first = thread / ${width}u * ${run}u;
  var sum = ${type}();
  if (element < ${elements}u) {
    for (var part = first; part < min(first + ${run}u, ${parts}u); part++) { sum += parts[part * ${elements}u + element]; }
  }
  runs[thread] = sum;
  workgroupBarrier();
  if (thread < ${width}u && element < ${elements}u) {
    for (var i = 1u; i < ${runs}u; i++) { sum += runs[thread + i * ${width}u]; }
    ${memory.store('result', 'element', `sum${addend ? ` + ${memory.load('addend', 'element')}` : ''}`)}
  }
}`,
  };
}
