import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResidentStep } from './resident-step.ts';
import { pythonInterpreter, type Rival, startRival } from './rival.ts';
import { hyperparameters } from './simclr-step.ts';

/** The rivals of the whole step, by their scripts in `pytorch/`. */
export const rivalNames = ['paper_stack', 'resident'] as const;
export type RivalName = (typeof rivalNames)[number];

/** Whether `torch.compile` takes part: as it is and with CUDA graphs, not at all, or with all the tuning that it has. */
export const compileChoices = ['yes', 'no', 'max-autotune'] as const;
export type CompileChoice = (typeof compileChoices)[number];

/** PyTorch doing whole steps in a process of its own. */
export interface WholeStepRival {
  readonly name: RivalName;
  /** What it says of itself. */
  readonly hello: Hello;
  /** Does steps in one kind of arithmetic and returns the seconds they took. */
  time(kind: string, steps: number): Promise<number>;
  stop(): void;
}

interface Hello {
  readonly version: string;
  readonly device: string;
  /** Of CUDA and cuDNN; null on a processor. */
  readonly cuda: string | null;
  readonly cudnn: number | null;
  /**
   * What takes part: an arithmetic (`tf32`, `float32`, `float16`, `bfloat16`) alone, or with the way it is run: `compiled`
   * (torch.compile), `graphs` (the same, replayed as CUDA graphs), `autotuned`.
   */
  readonly kinds: readonly string[];
  /** Kinds that were tried and do not work there, with the reason. */
  readonly failed: Readonly<Record<string, string>>;
  /** Loss on the views of our first step, from the same weights, by kind. */
  readonly firstLoss: Readonly<Record<string, number>>;
  readonly parameters: number;
  /** By kind, what it took to get ready, compilation included. */
  readonly warmUpSeconds: Readonly<Record<string, number>>;
  readonly workers?: number;
}

/** What rivals are told. */
export interface RivalOptions {
  readonly batchSize: number;
  readonly imageSize: number;
  readonly precision: string;
  readonly warmUp: number;
  /** Processes of the data loader. */
  readonly workers: number;
  /** How `torch.compile` is used where it is there. */
  readonly compile: CompileChoice;
}

/**
 * Starts the rivals on the weights and images of a step that has not run yet.
 *
 * @returns those that are there; of each other one, why not.
 */
export async function startWholeStepRivals(
  step: ResidentStep,
  names: readonly RivalName[],
  options: RivalOptions,
): Promise<{ rivals: WholeStepRival[]; missing: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-bench-'));
  const rivals: WholeStepRival[] = [];
  const missing: string[] = [];
  try {
    for (const [name, bytes] of Object.entries(await step.files())) {
      await writeFile(join(folder, `${name}.safetensors`), bytes);
    }
    const configuration = JSON.stringify({ folder, ...options, ...hyperparameters });
    for (const name of names) {
      const script = fileURLToPath(new URL(`../pytorch/${name}.py`, import.meta.url));
      const rival = await startRival<Hello>([pythonInterpreter(), script, configuration]);
      if ('missing' in rival) missing.push(`${name}: ${rival.missing}`);
      else rivals.push(wholeStepRival(name, rival));
    }
    return { rivals, missing };
  } catch (error) {
    for (const rival of rivals) rival.stop();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function wholeStepRival(name: RivalName, { hello, ask, stop }: Rival<Hello>): WholeStepRival {
  return {
    name,
    hello,
    stop,
    async time(kind, steps) {
      const { seconds, loss } = await ask<{ seconds: number; loss: number }>({ kind, steps });
      if (!Number.isFinite(loss)) throw new Error(`PyTorch (${name}, ${kind}): the loss must be finite, got ${loss}.`);
      return seconds;
    },
  };
}

/** The arithmetic of a kind. */
export const arithmeticOf = (kind: string): string => kind.split(' ')[0]!;

/** Relative difference of first losses that arithmetic explains. */
const tolerances: Readonly<Record<string, number>> = { float32: 1e-3, tf32: 1e-2, float16: 2e-2, bfloat16: 5e-2 };

/**
 * Makes sure that rivals train the same network on the same weights: as many parameters, and our first loss on our first views.
 *
 * @throws Error if one does different work.
 */
export function requireSameStart(
  ours: { readonly parameters: number; readonly firstLoss: number },
  rivals: ReadonlyArray<Pick<WholeStepRival, 'name' | 'hello'>>,
): void {
  for (const { name, hello } of rivals) {
    if (hello.parameters !== ours.parameters) {
      throw new Error(
        `bench train-step: both must train the same network, got ${ours.parameters} parameters here and ${hello.parameters} in PyTorch (${name}).`,
      );
    }
    for (const [kind, loss] of Object.entries(hello.firstLoss)) {
      if (!(Math.abs(loss - ours.firstLoss) <= (tolerances[arithmeticOf(kind)] ?? 1e-3) * Math.abs(ours.firstLoss))) {
        throw new Error(
          `bench train-step: the same weights and views must give the same loss, got ${ours.firstLoss} here and ${loss} from PyTorch ` +
            `(${name}, ${kind}). One of the two does not do this step.`,
        );
      }
    }
  }
}
