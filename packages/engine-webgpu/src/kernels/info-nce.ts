import { dispatch } from '../dispatch.ts';
import { f32, u32 } from '../uniform-cache.ts';
import {
  ANCHORS,
  CANDIDATES,
  GRADIENT_ELEMENTS,
  infoNceCode,
  infoNceGradientCode,
  meanLossCode,
} from './info-nce-code.ts';
import { defineKernel, type GpuKernel } from './kernel.ts';

/**
 * Loss, ranks, and for the gradient log-sums with what the positives' probabilities lack of 1, without a table of logits: a workgroup takes some anchors
 * through all candidates, tile by tile.
 */
const infoNce = defineKernel<'projections', { temperature: number }>(
  'InfoNce',
  ({ inputs: { projections }, attributes: { temperature }, backend }) => {
    const [rows, elements] = projections.shape as [number, number];
    const [loss, ranks, logSums] = [backend.output([]), backend.output([rows]), backend.output([2, rows])];
    backend.withScratch([rows], (losses) => {
      dispatch(backend, {
        key: 'InfoNce',
        bindings: [
          { name: 'projections', from: projections },
          { name: 'losses', from: losses, access: 'read_write' },
          { name: 'ranks', from: ranks, access: 'read_write' },
          { name: 'logSums', from: logSums, access: 'read_write' },
        ],
        uniforms: pairUniforms(rows, elements, temperature),
        code: () => infoNceCode,
        workgroups: [Math.ceil(rows / ANCHORS)],
        work: { flops: 2 * rows * rows * elements },
      });
      dispatch(backend, {
        key: 'InfoNceMean',
        bindings: [
          { name: 'losses', from: losses },
          { name: 'loss', from: loss, access: 'read_write' },
        ],
        uniforms: { rows: u32(rows) },
        code: () => meanLossCode,
        workgroups: [1],
      });
    });
    return [loss, ranks, logSums];
  },
);

const infoNceGradient = defineKernel<'dy' | 'projections' | 'logSums', { temperature: number }>(
  'InfoNceGrad',
  ({ inputs: { dy, projections, logSums }, attributes: { temperature }, backend }) => {
    const [rows, elements] = projections.shape as [number, number];
    const gradient = backend.output(projections.shape);
    dispatch(backend, {
      key: 'InfoNceGradient',
      bindings: [
        { name: 'dy', from: dy },
        { name: 'projections', from: projections },
        { name: 'logSums', from: logSums },
        { name: 'gradient', from: gradient, access: 'read_write' },
      ],
      uniforms: pairUniforms(rows, elements, temperature),
      code: () => infoNceGradientCode,
      workgroups: [Math.ceil(rows / ANCHORS), Math.ceil(elements / GRADIENT_ELEMENTS)],
      work: { flops: 4 * rows * rows * elements },
    });
    return gradient;
  },
);

const pairUniforms = (rows: number, elements: number, temperature: number) => ({
  ...{ rows: u32(rows), elements: u32(elements), tiles: u32(1 + Math.ceil(rows / CANDIDATES)) },
  temperature: f32(temperature),
});

/** The contrastive loss and its gradient. */
export const infoNceKernels: readonly GpuKernel[] = [infoNce, infoNceGradient];
