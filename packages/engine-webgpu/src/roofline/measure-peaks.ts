import type { MatrixUnit } from '../product/product.ts';
import { lines } from '../product/staging.ts';

/** The rates that a device reaches in loops that do nothing else: medians, in FLOP/s (a multiply-add counts as two) and bytes per second. */
export interface GpuPeaks {
  /** float32 multiply-adds, in FLOP/s. */
  readonly multiplyAdd: number;
  /** Matrix units with float16 operands and float32 sums, in FLOP/s; null if kernels do not use them. */
  readonly matrix: number | null;
  /** Reads plus writes of a copy, in bytes per second. */
  readonly bandwidth: number;
}

/** A device to measure, for example the engine's backend. */
export interface PeakDevice {
  readonly device: GPUDevice;
  readonly matrixUnit: MatrixUnit | null;
}

/** A loop whose work per workgroup is known. */
interface Loop {
  readonly code: string;
  /** FLOPs or bytes per workgroup. */
  readonly work: number;
  /** Whether it copies `source` to `target`. Other loops write one unused value per invocation. */
  readonly copies?: boolean;
}

const BINDINGS = `
@group(0) @binding(0) var<storage, read_write> target_: array<vec4f>;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;`;

function multiplyAddLoop(): Loop {
  const [chains, steps] = [8, 256];
  return {
    work: 256 * chains * 4 * steps * 2,
    code: `${BINDINGS}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) thread: u32) {
  let a = source[thread];
${lines(chains, (i) => `  var sum${i} = a * ${i + 1}.0;`)}
  for (var step = 0; step < ${steps}; step++) {
${lines(chains, (i) => `    sum${i} = fma(a, sum${i}, a);`)}
  }
  target_[thread] = ${Array.from({ length: chains }, (_, i) => `sum${i}`).join(' + ')};
}`,
  };
}

function matrixLoop(unit: MatrixUnit): Loop {
  const [chains, steps, subgroups] = [8, 64, 8];
  const area = unit.rows * unit.columns;
  return {
    work: subgroups * chains * steps * 2 * area * unit.depth,
    code: `enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
${BINDINGS}
var<workgroup> left: array<f16, ${unit.rows * unit.depth}>;
var<workgroup> right: array<f16, ${unit.depth * unit.columns}>;
var<workgroup> sums: array<f32, ${subgroups * area}>;
@compute @workgroup_size(${unit.subgroup * subgroups})
fn main(@builtin(local_invocation_index) thread: u32, @builtin(subgroup_id) subgroup: u32) {
  for (var i = thread; i < ${unit.rows * unit.depth}u; i += ${unit.subgroup * subgroups}u) { left[i] = f16(source[i % 256u].x); }
  for (var i = thread; i < ${unit.depth * unit.columns}u; i += ${unit.subgroup * subgroups}u) { right[i] = f16(source[i % 256u].y); }
  workgroupBarrier();
  let a = subgroupMatrixLoad<subgroup_matrix_left<f16, ${unit.depth}, ${unit.rows}>, row_major>(&left, 0u, ${unit.depth}u);
  let b = subgroupMatrixLoad<subgroup_matrix_right<f16, ${unit.columns}, ${unit.depth}>, row_major>(&right, 0u, ${unit.columns}u);
${lines(chains, (i) => `  var sum${i}: subgroup_matrix_result<f32, ${unit.columns}, ${unit.rows}>;`)}
  for (var step = 0; step < ${steps}; step++) {
${lines(chains, (i) => `    sum${i} = subgroupMatrixMultiplyAccumulate(a, b, sum${i});`)}
  }
${lines(
  chains,
  (i) => `  subgroupMatrixStore<row_major>(&sums, subgroup * ${area}u, sum${i}, ${unit.columns}u);
  workgroupBarrier();
  target_[thread] += vec4f(sums[thread]);
  workgroupBarrier();`,
)}
}`,
  };
}

function copyLoop(elements: number): Loop {
  const each = 16;
  return {
    work: 256 * each * 32,
    copies: true,
    code: `${BINDINGS}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  for (var i = 0u; i < ${each}u; i++) {
    let at = ((workgroup.x * ${each}u + i) * 256u + thread) % ${elements}u;
    target_[at] = source[at];
  }
}`,
  };
}

/** Number of bytes to copy: more than caches hold, if the device can bind so much. */
const COPIED = 2 ** 28;

/**
 * Measures the rates that a device can reach, the roof over its kernels.
 *
 * @param backend - the engine's backend (`tf.backend()`), or an idle device with its matrix units.
 * @param options - `seconds`: shortest time of a measured run. Default 0.02.
 */
export async function measurePeaks(backend: PeakDevice, options: { seconds?: number } = {}): Promise<GpuPeaks> {
  const { device, matrixUnit } = backend;
  const { seconds = 0.02 } = options;
  const bytes = Math.min(COPIED, device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const buffers = [0, 1].map(() =>
    device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }),
  );
  const measure = (loop: Loop) =>
    rate(device, loop, buffers, { seconds, most: loop.copies ? bytes / (loop.work / 2) : 65535 });
  try {
    return {
      multiplyAdd: await measure(multiplyAddLoop()),
      matrix: matrixUnit && (await measure(matrixLoop(matrixUnit))),
      bandwidth: await measure(copyLoop(bytes / 16)),
    };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

async function rate(
  device: GPUDevice,
  loop: Loop,
  buffers: readonly GPUBuffer[],
  { seconds, most }: { seconds: number; most: number },
): Promise<number> {
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: loop.code }), entryPoint: 'main' },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const run = async (workgroups: number, times: number): Promise<number> => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000;
  };
  // as many workgroups, then dispatches, as take long enough to be measured
  let [workgroups, times] = [1, 1];
  await run(workgroups, times);
  while ((await run(workgroups, times)) < seconds) {
    if (workgroups < most) workgroups = Math.min(most, workgroups * 4);
    else times *= 4;
  }
  const rounds: number[] = [];
  for (let round = 0; round < 5; round++) rounds.push(await run(workgroups, times));
  rounds.sort((a, b) => a - b);
  return (loop.work * workgroups * times) / (rounds[2] as number);
}
