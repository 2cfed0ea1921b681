export type { EngineAvailability, EngineDescription, EngineModule, EngineOptions, Precision } from '@tfjs-ssl/ops';
export {
  type CompiledStep,
  type CompileOptions,
  compile,
  type InputSpec,
  type InputSpecs,
  type InputTensors,
  type NamedTensors,
} from './compile.ts';
export { registerEngine } from './engine-registry.ts';
export {
  availableEngines,
  currentEngine,
  type EngineInUse,
  type KnownEngine,
  runsAhead,
  startEngine,
} from './start-engine.ts';
export { readInto, tensorOf } from './transfer.ts';
