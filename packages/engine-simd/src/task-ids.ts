// Numbers by which a job names what its tasks run. This file is compiled twice: as TypeScript, and by AssemblyScript into the task
// table of `assembly/tasks.ts`; so it holds integer constants and nothing else.

export const CONVOLUTION = 1;
export const FILTER_GRADIENT = 2;
export const PACK_WEIGHTS = 3;
export const PACK_WEIGHTS_TRANSPOSED = 4;
export const WINOGRAD_BLOCKS = 5;
export const WINOGRAD_WEIGHTS = 6;
export const PAD_IMAGES = 7;
export const BATCH_NORM_STATISTICS = 8;
export const BATCH_NORM_APPLY = 9;
export const BATCH_NORM_GRADIENT_SUMS = 10;
export const BATCH_NORM_GRADIENT_APPLY = 11;
export const ADAM = 12;
export const UNARY = 13;
export const BINARY = 14;
export const REDUCE = 15;
export const TRANSPOSE = 16;
export const MAX_POOL = 17;
export const MAX_POOL_GRADIENT = 18;
export const GLOBAL_AVERAGE_POOL_GRADIENT = 19;
/** The fused augmentation chain, `assembly/augment.ts`. */
export const AUGMENT_IMAGES = 20;
export const UNIT_ROWS = 21;
export const NT_XENT = 22;
export const NT_XENT_GRADIENT = 23;
export const MOMENTUM = 24;
export const MOMENTUM_SUMS = 25;
export const DEPTHWISE = 26;
export const DEPTHWISE_INPUT_GRADIENT = 27;
export const DEPTHWISE_FILTER_GRADIENT = 28;
export const AVERAGE_POOL = 29;
export const AVERAGE_POOL_GRADIENT = 30;
export const STRIDED_COPY = 31;
/** Multiply-adds and nothing else: what the processor can do at most. */
export const MULTIPLY_ADDS = 32;
export const WINOGRAD_GRADIENT = 33;
export const WINOGRAD_PAIRS = 34;
export const PAIR_LOGITS = 35;
export const WINOGRAD_INPUT = 36;
export const WINOGRAD_PANELS = 37;
export const WINOGRAD_GRADIENT_PARTS = 38;
export const EMA = 39;
export const BATCH_NORM_SILU_APPLY = 40;
export const BATCH_NORM_SILU_GRADIENT_SUMS = 41;
export const SCALE_CHANNELS = 42;
export const CHANNEL_DOTS = 43;
