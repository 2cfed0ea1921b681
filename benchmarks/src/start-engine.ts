import { type EngineInUse, startEngine } from '@tfjs-ssl/engine';
import { UsageError } from './options.ts';

/** Starts the engine that a bench is asked to measure; an engine of no such name is a mistake on the command line. */
export async function startBenchEngine(bench: string, name: string, threads: number): Promise<EngineInUse> {
  try {
    return await startEngine(name, { threads });
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`bench ${bench}: --engine: ${error.message}`) : error;
  }
}
