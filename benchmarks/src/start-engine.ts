import { isArgumentError } from '@tfjs-ssl/checks';
import { type EngineInUse, startEngine } from '@tfjs-ssl/engine';
import { UsageError } from './options.ts';

/** Starts the engine that a bench is asked to measure; an engine of no such name is a mistake on the command line. */
export async function startBenchEngine(bench: string, name: string, threads: number): Promise<EngineInUse> {
  try {
    return await startEngine(name, { threads });
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    const { argument, required, shown, advice } = error;
    const option = argument === 'name' ? 'engine' : argument;
    throw new UsageError(`bench ${bench}: --${option} must ${required}, got ${shown}. ${advice}`);
  }
}
