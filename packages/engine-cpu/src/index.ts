export { cpuEngine } from './engine.ts';
