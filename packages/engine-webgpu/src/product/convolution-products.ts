import { type ConvolutionGeometry, geometryKey } from './convolution-geometry.ts';
import { type Gather, gatherOperand } from './gather.ts';
import { inputGradientPhases } from './input-gradient-phases.ts';
import { matrixOperand, matrixResult } from './operands.ts';
import type { Epilogue, Product } from './product.ts';

/** What output pixels see of the input. */
const inputOf = (g: ConvolutionGeometry): Gather => ({
  images: g.images,
  height: g.height,
  width: g.width,
  channels: g.channels,
  gridHeight: g.outputHeight,
  gridWidth: g.outputWidth,
  strideY: g.strideY,
  strideX: g.strideX,
  originY: `${-g.top}`,
  originX: `${-g.left}`,
  tapsX: `${g.filterWidth}`,
  taps: g.filterHeight * g.filterWidth,
});

/** The convolution of `left`, images, by `right`, a filter: one row per output pixel of the batch. */
export function forwardProduct(g: ConvolutionGeometry, epilogue: Epilogue = { bias: false, relu: false }): Product {
  const rows = g.images * g.outputHeight * g.outputWidth;
  const depth = g.filterHeight * g.filterWidth * g.channels;
  return {
    key: `Conv2D ${geometryKey(g)} ${epilogue.bias} ${epilogue.relu}`,
    rows,
    columns: g.outputChannels,
    depth,
    groups: 1,
    left: gatherOperand(inputOf(g), 'pixels'),
    right: matrixOperand({ outer: g.outputChannels, outerStep: 1, depthStep: g.outputChannels }),
    result: matrixResult(rows, g.outputChannels),
    epilogue,
  };
}

/** The gradient of the input from `left`, the gradient of the output, and `right`, the filter: one row per input pixel. */
export function inputGradientProduct(g: ConvolutionGeometry): Product {
  const { phases, functions, gather, filter, result } = inputGradientPhases(g);
  return {
    key: `Conv2DBackpropInput ${geometryKey(g)}`,
    rows: gather.images * gather.gridHeight * gather.gridWidth,
    columns: g.channels,
    depth: gather.taps * g.outputChannels,
    groups: phases,
    left: gatherOperand(gather, 'pixels'),
    right: filter,
    result,
    functions,
  };
}

/** The gradient of the filter from `left`, images, and `right`, the gradient of the output: the depth are the output pixels. */
export function filterGradientProduct(g: ConvolutionGeometry): Product {
  const rows = g.filterHeight * g.filterWidth * g.channels;
  return {
    key: `Conv2DBackpropFilter ${geometryKey(g)}`,
    rows,
    columns: g.outputChannels,
    depth: g.images * g.outputHeight * g.outputWidth,
    groups: 1,
    left: gatherOperand(inputOf(g), 'taps'),
    right: matrixOperand({ outer: g.outputChannels, outerStep: 1, depthStep: g.outputChannels }),
    result: matrixResult(rows, g.outputChannels),
  };
}
