import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { dispatch, workgroupGrid } from '../dispatch.ts';
import { f32, u32 } from '../uniform-cache.ts';
import { defineOpKernel, type GpuKernel } from './kernel.ts';
import {
  ANCHORS,
  CANDIDATES,
  GRADIENT_ELEMENTS,
  meanLossCode,
  ntXentCode,
  ntXentGradientCode,
  pairLogitsCode,
  unitRowsCode,
} from './nt-xent-code.ts';

/** Makes the rows over their norms, `units`, and what divided them, `divisors`. */
function makeUnitRows(
  backend: GpuBackend,
  projections: tf.TensorInfo,
  units: tf.TensorInfo,
  divisors: tf.TensorInfo,
): void {
  const [rows, elements] = projections.shape as [number, number];
  dispatch(backend, {
    key: 'NTXentUnitRows',
    bindings: [
      { name: 'projections', from: projections },
      { name: 'units', from: units, access: 'read_write' },
      { name: 'divisors', from: divisors, access: 'read_write' },
    ],
    uniforms: { rows: u32(rows), elements: u32(elements) },
    code: () => unitRowsCode,
    workgroups: workgroupGrid(backend, rows),
  });
}

/**
 * Loss, ranks, and what the gradient needs of every row, without a table of logits: a workgroup takes some anchors through all candidates,
 * tile by tile.
 */
const ntXent = defineOpKernel('NTXent', ({ inputs: { projections }, attributes: { temperature }, backend }) => {
  const [rows, elements] = projections.shape as [number, number];
  const [loss, ranks, logSums] = [backend.output([]), backend.output([rows]), backend.output([3, rows])];
  const [units, divisors] = [backend.output([rows, elements]), backend.output([rows, 2])];
  makeUnitRows(backend, projections, units, divisors);
  backend.withScratch([rows], (losses) => {
    dispatch(backend, {
      key: 'NTXent',
      bindings: [
        { name: 'units', from: units },
        { name: 'losses', from: losses, access: 'read_write' },
        { name: 'ranks', from: ranks, access: 'read_write' },
        { name: 'logSums', from: logSums, access: 'read_write' },
      ],
      uniforms: pairUniforms(rows, elements, temperature),
      code: () => ntXentCode,
      workgroups: [Math.ceil(rows / ANCHORS)],
      work: { flops: 2 * rows * rows * elements },
    });
    dispatch(backend, {
      key: 'NTXentMean',
      bindings: [
        { name: 'losses', from: losses },
        { name: 'loss', from: loss, access: 'read_write' },
      ],
      uniforms: { rows: u32(rows) },
      code: () => meanLossCode,
      workgroups: [1],
    });
  });
  return [loss, ranks, logSums, units, divisors];
});

const ntXentGradient = defineOpKernel(
  'NTXentGrad',
  ({ inputs: { dy, projections, logSums, units, divisors }, attributes: { temperature }, backend }) => {
    const [rows, elements] = projections.shape as [number, number];
    const gradient = backend.output(projections.shape);
    dispatch(backend, {
      key: 'NTXentGradient',
      bindings: [
        { name: 'dy', from: dy },
        { name: 'units', from: units },
        { name: 'divisors', from: divisors },
        { name: 'logSums', from: logSums },
        { name: 'gradient', from: gradient, access: 'read_write' },
      ],
      uniforms: pairUniforms(rows, elements, temperature),
      code: () => ntXentGradientCode,
      workgroups: [Math.ceil(rows / ANCHORS), Math.ceil(elements / GRADIENT_ELEMENTS)],
      work: { flops: 4 * rows * rows * elements },
    });
    return gradient;
  },
);

const pairLogits = defineOpKernel(
  'PairLogits',
  ({ inputs: { projections }, attributes: { temperature, masked }, backend }) => {
    const [rows, elements] = projections.shape as [number, number];
    const logits = backend.output([rows, rows]);
    backend.withScratch([rows, elements], (units) => {
      backend.withScratch([rows, 2], (divisors) => makeUnitRows(backend, projections, units, divisors));
      dispatch(backend, {
        key: 'PairLogits',
        bindings: [
          { name: 'units', from: units },
          { name: 'logits', from: logits, access: 'read_write' },
        ],
        uniforms: { ...pairUniforms(rows, elements, temperature), masked: f32(masked) },
        code: () => pairLogitsCode,
        workgroups: [Math.ceil(rows / ANCHORS), Math.ceil(rows / CANDIDATES)],
        work: { flops: 2 * rows * rows * elements },
      });
    });
    return logits;
  },
);

const pairUniforms = (rows: number, elements: number, temperature: number) => ({
  ...{ rows: u32(rows), elements: u32(elements), tiles: u32(1 + Math.ceil(rows / CANDIDATES)) },
  temperature: f32(temperature),
});

/** The contrastive loss and its gradient, and the logits of pairs. */
export const ntXentKernels: readonly GpuKernel[] = [ntXent, ntXentGradient, pairLogits];
