export { type Deviation, expectClose, type Tolerance, worstDeviation } from './close.ts';
export { describeEngines, engines } from './engines.ts';
export { expectGradient } from './gradients.ts';
export { expectNoLeak } from './memory.ts';
export { type ConvolutionOperands, type Convolved, convolvePlainly, relativeError } from './plain-convolution.ts';
export { messageOf, temporaryFolder } from './temporary-folder.ts';
export { numberOf, valuesOf } from './values.ts';
export { disposeVariables } from './variables.ts';
