export { decodeSafetensors, type Safetensors } from './decode.ts';
export type { SafeTensor, SafeTensorData, SafeTensorDtype } from './dtypes.ts';
export { encodeSafetensors } from './encode.ts';
