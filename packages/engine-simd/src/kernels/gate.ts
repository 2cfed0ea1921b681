import { CHANNEL_DOTS, SCALE_CHANNELS } from '../task-ids.ts';
import { ceilDiv, defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Bytes of a task's pixels. */
const BLOCK_BYTES = 32768;

const scaleChannels = defineOpKernel('ScaleChannels', ({ inputs: { x, scale, shift }, backend }) => {
  const { info, address } = backend.output(x.shape);
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  if (sizeOf(x) === 0) return info;
  const pixels = height * width;
  const block = Math.min(pixels, Math.max(1, Math.floor(BLOCK_BYTES / (channels * 4))));
  const blocks = ceilDiv(pixels, block);
  backend.runtime.runOnce(
    images * blocks,
    ...[SCALE_CHANNELS, backend.address(x), address, pixels, channels, block, blocks],
    ...[backend.address(scale), shift ? backend.address(shift) : 0],
  );
  return info;
});

const channelDots = defineOpKernel('ChannelDots', ({ inputs: { x, y }, backend }) => {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const { info, address } = backend.output([images, channels]);
  if (sizeOf(info) === 0) return info;
  backend.runtime.runOnce(
    images,
    ...[CHANNEL_DOTS, backend.address(x), backend.address(y), address, height * width, channels],
  );
  return info;
});

/** The products of a gate and the sums of its gradient. */
export const gateKernels: readonly SimdKernel[] = [scaleChannels, channelDots];
