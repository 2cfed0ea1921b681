/** The groups of kernels in a profile, by purpose. */
export const kernelGroups = [
  'augmentation',
  'convolution forward',
  'convolution backward-input',
  'convolution backward-filter',
  'batch norm',
  'pooling',
  'linear layers',
  'loss',
  'optimizer',
  'other',
] as const;

/** One of `kernelGroups`. */
export type KernelGroup = (typeof kernelGroups)[number];

/** The parts of a training step, in order. */
export const stepPhases = ['augment', 'forward', 'backward', 'update'] as const;

/** One of `stepPhases`. */
export type StepPhase = (typeof stepPhases)[number];

/** Patterns for the start of a kernel's name; the first match counts. */
const names: ReadonlyArray<readonly [RegExp, KernelGroup]> = [
  [/^Augment/, 'augmentation'],
  [/^Conv2DBackpropInput/, 'convolution backward-input'],
  [/^Conv2DBackpropFilter/, 'convolution backward-filter'],
  [/^Conv2D/, 'convolution forward'],
  [/^BatchNorm/, 'batch norm'],
  [/^(MaxPool|GlobalAveragePool)/, 'pooling'],
  [/^(MatMul|ColumnSum)/, 'linear layers'],
  [/^NTXent/, 'loss'],
  [/^(Adam|Momentum|AllFinite|Norm)/, 'optimizer'],
];

/** The group of every dispatch of a step. Sums of parts belong to the product before them. */
export function groupsOf(kernels: readonly string[]): KernelGroup[] {
  let group: KernelGroup = 'other';
  return kernels.map((kernel) => {
    if (!kernel.startsWith('SumParts')) group = names.find(([name]) => name.test(kernel))?.[1] ?? 'other';
    return group;
  });
}

/**
 * The phase of every dispatch of a training step: everything up to the last augmentation, then up to the first gradient, then up to the optimizer,
 * then the rest.
 */
export function phasesOf(kernels: readonly string[]): StepPhase[] {
  const groups = groupsOf(kernels);
  const orEnd = (index: number) => (index < 0 ? kernels.length : index);
  const forward = groups.lastIndexOf('augmentation') + 1;
  const update = orEnd(groups.indexOf('optimizer'));
  const backward = Math.min(update, orEnd(kernels.findIndex((kernel) => /Grad|Backprop/.test(kernel))));
  return kernels.map((_, i) =>
    i < forward ? 'augment' : i < backward ? 'forward' : i < update ? 'backward' : 'update',
  );
}
