import type { Bench } from './bench.ts';
import { augment } from './benches/augment.ts';
import { capture } from './benches/capture.ts';
import { evaluate } from './benches/evaluate.ts';
import { gpuDevice } from './benches/gpu-device.ts';
import { gpuKernels } from './benches/gpu-kernels.ts';
import { gpuTableBench } from './benches/gpu-table.ts';
import { kernels } from './benches/kernels.ts';
import { largeBatch } from './benches/large-batch.ts';
import { layers } from './benches/layers.ts';
import { methods } from './benches/methods.ts';
import { scaling } from './benches/scaling.ts';
import { trainStep } from './benches/train-step.ts';
import { views } from './benches/views.ts';
import type { OptionSpecs } from './options.ts';

/** Lets benches with different options stand in one list; a bench is only ever run with the options that it declares. */
const register = <Specs extends OptionSpecs>(bench: Bench<Specs>): Bench => bench as unknown as Bench;

/** All benches, in the order in which they are listed. */
export const benches: readonly Bench[] = [
  register(trainStep),
  register(scaling),
  register(layers),
  register(kernels),
  register(augment),
  register(views),
  register(largeBatch),
  register(methods),
  register(gpuDevice),
  register(gpuKernels),
  register(capture),
  register(evaluate),
  register(gpuTableBench),
];
