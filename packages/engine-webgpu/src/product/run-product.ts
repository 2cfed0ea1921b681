import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { dispatch } from '../dispatch.ts';
import { arithmeticOf } from './arithmetic.ts';
import { fmaProduct } from './fma-product.ts';
import { matrixProduct } from './matrix-product.ts';
import type { Product, ProductShader, Schedule } from './product.ts';
import { chooseSchedule } from './schedule.ts';
import { sumParts } from './sum-parts.ts';

/** The shaders of a product on one device. */
interface ProductPlan {
  readonly parts: number;
  readonly product: ProductShader;
  readonly sum: ProductShader | null;
}

const plansOf = new WeakMap<GpuBackend, Map<string, ProductPlan>>();

/**
 * The shader of a product with a given schedule.
 *
 * @param halfResult - whether the result lies as float16. Default: false.
 */
export function productShader(product: Product, schedule: Schedule, halfResult = false): ProductShader {
  const { arithmetic } = schedule;
  const { rows, columns, depth, groups, multiplyAdds = rows * columns * depth * groups } = product;
  const matrix = arithmetic.kind === 'matrix';
  const shader = matrix
    ? matrixProduct(product, { ...schedule, arithmetic }, halfResult)
    : fmaProduct(product, schedule);
  return { ...shader, work: { flops: 2 * multiplyAdds, unit: matrix ? 'matrix' : 'multiplyAdd' } };
}

function planProduct(backend: GpuBackend, product: Product, halfResult: boolean, schedule?: Schedule): ProductPlan {
  const plans = plansOf.get(backend) ?? new Map<string, ProductPlan>();
  plansOf.set(backend, plans);
  const key = `${schedule ? JSON.stringify(schedule) : backend.precision} ${product.key}${halfResult ? ' half' : ''}`;
  const known = plans.get(key);
  if (known) return known;
  const { device, matrixUnit, precision } = backend;
  const chosen = schedule ?? chooseSchedule(product, arithmeticOf(matrixUnit, precision), device.limits);
  const { parts } = chosen;
  const plan = {
    parts,
    product: productShader(product, chosen, halfResult),
    sum: parts > 1 ? sumParts(product.result.size, parts, product.epilogue?.addend) : null,
  };
  plans.set(key, plan);
  return plan;
}

/** Tensors of a product. */
export interface ProductTensors {
  readonly left: tf.TensorInfo;
  readonly right: tf.TensorInfo;
  /** Added to each row, where the product has an epilogue with a bias. */
  readonly bias?: tf.TensorInfo;
  /** Added to the result, where the product has an epilogue with an addend. */
  readonly addend?: tf.TensorInfo;
}

/**
 * Computes a product.
 *
 * @param options.half - whether the result lies as float16. Default: false.
 * @param options.schedule - default: chosen for the sizes, in the backend's precision.
 * @returns a new tensor of the given shape.
 */
export function runProduct(
  backend: GpuBackend,
  product: Product,
  tensors: ProductTensors,
  shape: readonly number[],
  { half = false, schedule }: { half?: boolean; schedule?: Schedule } = {},
): tf.TensorInfo {
  const output = backend.output(shape, { half });
  computeProduct(backend, product, { ...tensors, result: output }, schedule);
  return output;
}

/** Computes a product into a tensor that is there; see {@link runProduct}. */
export function computeProduct(
  backend: GpuBackend,
  product: Product,
  tensors: ProductTensors & { readonly result: tf.TensorInfo },
  schedule?: Schedule,
): void {
  const {
    parts,
    product: shader,
    sum,
  } = planProduct(backend, product, backend.isHalf(tensors.result.dataId), schedule);
  if (!sum) {
    run(backend, shader, tensors);
    return;
  }
  backend.withScratch([parts, product.result.size], (scratch) => {
    run(backend, shader, { ...tensors, result: scratch });
    run(backend, sum, { ...tensors, parts: scratch });
  });
}

function run(backend: GpuBackend, shader: ProductShader, tensors: object): void {
  const { key, enable, buffers, code, workgroups, work } = shader;
  dispatch(backend, {
    key,
    enable,
    bindings: buffers.map((buffer) => ({
      ...buffer,
      access: buffer.name === 'result' ? 'read_write' : 'read',
      from: (tensors as Record<string, tf.TensorInfo>)[buffer.name] as tf.TensorInfo,
    })),
    code,
    workgroups,
    ...(work ? { work } : {}),
  });
}
