export { tensorflowEngine } from './engine.ts';
