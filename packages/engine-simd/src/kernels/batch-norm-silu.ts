import { floatBits } from '../runtime.ts';
import { BATCH_NORM_GRADIENT_APPLY, BATCH_NORM_SILU_APPLY, BATCH_NORM_SILU_GRADIENT_SUMS } from '../task-ids.ts';
import { applyBlock, computeStatistics, moveStatistics, rowsAndChannels, sumBlock } from './batch-norm.ts';
import { ceilDiv, defineOpKernel, type SimdKernel } from './kernel.ts';

const train = defineOpKernel('BatchNormSiluTrain', ({ inputs, attributes: { epsilon, momentum }, backend }) => {
  const { x, gamma, beta, runningMean, runningVariance } = inputs;
  const { runtime } = backend;
  const [rows, channels] = rowsAndChannels(x);
  const [output, mean, variance] = [backend.output(x.shape), backend.output([channels]), backend.output([channels])];
  const input = backend.address(x);
  computeStatistics(runtime, input, [rows, channels], mean.address, variance.address);
  const lines = applyBlock(channels);
  runtime.runOnce(
    ceilDiv(rows, lines),
    ...[BATCH_NORM_SILU_APPLY, input, output.address, rows, channels, lines, mean.address, variance.address],
    ...[backend.address(gamma), backend.address(beta), floatBits(epsilon)],
  );
  if (momentum !== undefined) {
    const [ofMean, ofVariance] = [backend.address(runningMean), backend.address(runningVariance)];
    moveStatistics(runtime, [rows, channels], momentum, [ofMean, mean.address], [ofVariance, variance.address]);
  }
  return [output.info, mean.info, variance.info];
});

const trainGradient = defineOpKernel('BatchNormSiluTrainGrad', ({ inputs, attributes: { epsilon }, backend }) => {
  const { runtime } = backend;
  const [rows, channels] = rowsAndChannels(inputs.x);
  const [dx, dgamma, dbeta] = [backend.output(inputs.x.shape), backend.output([channels]), backend.output([channels])];
  const { x, dy, mean, variance, gamma, beta } = {
    ...{ x: backend.address(inputs.x), dy: backend.address(inputs.dy), mean: backend.address(inputs.mean) },
    ...{ variance: backend.address(inputs.variance), gamma: backend.address(inputs.gamma) },
    beta: backend.address(inputs.beta),
  };
  const g = dx.address; // stands where dx will be
  const block = sumBlock(rows, channels);
  const blocks = ceilDiv(rows, block);
  runtime.withTemporary(blocks * 2 * channels * 4, (parts) => {
    runtime.runOnce(
      blocks,
      ...[BATCH_NORM_SILU_GRADIENT_SUMS, x, parts, rows, channels, block, mean, variance, gamma, beta, dy, g],
      floatBits(epsilon),
    );
    runtime.kernels.finishBatchNormGradient(
      ...[parts, blocks, channels, variance, epsilon, dgamma.address, dbeta.address],
    );
  });
  const lines = applyBlock(channels);
  runtime.runOnce(
    ceilDiv(rows, lines),
    ...[BATCH_NORM_GRADIENT_APPLY, x, dx.address, rows, channels, lines, mean, variance, gamma],
    ...[dgamma.address, dbeta.address, 0, g, 0, floatBits(epsilon)],
  );
  return [dx.info, dgamma.info, dbeta.info];
});

/** Batch normalisation and SiLU in training, and the gradient through both. */
export const batchNormSiluKernels: readonly SimdKernel[] = [train, trainGradient];
