// In Node the file that '@tensorflow/tfjs-core' resolves to registers no gradients, and the one that does cannot be imported there;
// '@tensorflow/tfjs-layers' registers them for every platform.
import '@tensorflow/tfjs-layers';
import { registerAveragePoolGradients } from './average-pool-gradient.ts';

registerAveragePoolGradients();
