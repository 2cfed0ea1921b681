import { type ConvolutionGeometry, geometryKey } from '@tfjs-ssl/ops';
import { gatherOperand } from './gather.ts';
import { inputGradientPhases } from './input-gradient-phases.ts';
import { matrixOperand, matrixResult } from './operands.ts';
import type { Epilogue, Operand, Product } from './product.ts';

/** The images as output pixels see them; a matrix as it stands where a filter of one tap visits every pixel. */
function imagesOperand(g: ConvolutionGeometry, outer: 'pixels' | 'taps'): Operand {
  const pixels = g.images * g.outputHeight * g.outputWidth;
  if (g.filterHeight * g.filterWidth === 1 && pixels === g.images * g.height * g.width && g.top + g.left === 0) {
    return matrixOperand(
      outer === 'pixels'
        ? { outer: pixels, outerStep: g.channels, depthStep: 1 }
        : { outer: g.channels, outerStep: 1, depthStep: g.channels },
    );
  }
  return gatherOperand(
    {
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
    },
    outer,
  );
}

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
    left: imagesOperand(g, 'pixels'),
    right: matrixOperand({ outer: g.outputChannels, outerStep: 1, depthStep: g.outputChannels }),
    result: matrixResult(rows, g.outputChannels),
    epilogue,
  };
}

/**
 * The gradient of the input from `left`, the gradient of the output, and `right`, the filter: one row per input pixel; plus `addend`, which
 * has come to the input by other ways, where there is one.
 */
export function inputGradientProduct(g: ConvolutionGeometry, addend = false): Product {
  const { phases, functions, gather, filter, result } = inputGradientPhases(g);
  return {
    key: `Conv2DBackpropInput ${geometryKey(g)}${addend ? ' +' : ''}`,
    rows: gather.images * gather.gridHeight * gather.gridWidth,
    columns: g.channels,
    depth: gather.taps * g.outputChannels,
    groups: phases,
    multiplyAdds:
      g.images * g.outputHeight * g.outputWidth * g.outputChannels * g.filterHeight * g.filterWidth * g.channels,
    left: gatherOperand(gather, 'pixels'),
    right: filter,
    result,
    functions,
    epilogue: { bias: false, relu: false, addend },
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
    left: imagesOperand(g, 'taps'),
    right: matrixOperand({ outer: g.outputChannels, outerStep: 1, depthStep: g.outputChannels }),
    result: matrixResult(rows, g.outputChannels),
  };
}
