import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonInterpreter, startRival } from './rival.ts';
import { hyperparameters, type SimclrStep } from './simclr-step.ts';

/** Memory layouts in which PyTorch does the step; which of them is faster depends on the machine. */
export const layouts = ['contiguous', 'channels_last'] as const;
export type Layout = (typeof layouts)[number];

/** PyTorch doing the same step in a process of its own. */
export interface PyTorchStep {
  /** Version of PyTorch. */
  readonly version: string;
  readonly threads: number;
  readonly parameters: number;
  /** Loss of the very first step in each layout. */
  readonly firstLoss: Readonly<Record<Layout, number>>;
  /** Processor time that it has used so far, in seconds. */
  cpuSeconds(): number;
  /** Does steps and returns the seconds they took. */
  time(layout: Layout, steps: number): Promise<number>;
  stop(): void;
}

interface Hello {
  readonly version: string;
  readonly threads: number;
  readonly parameters: number;
  readonly firstLoss: Readonly<Record<Layout, number>>;
  readonly cpuSeconds: number;
}

interface Answer {
  readonly seconds: number;
  readonly loss: number;
  readonly cpuSeconds: number;
}

/**
 * Starts PyTorch on the weights and views of a step that has not run yet, and lets it warm up.
 *
 * @returns the rival, or why there is none.
 */
export async function startPyTorchStep(
  step: SimclrStep,
  options: { readonly threads: number; readonly warmUp: number },
): Promise<PyTorchStep | { readonly missing: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-bench-'));
  try {
    for (const [name, bytes] of Object.entries(await step.files())) {
      await writeFile(join(folder, `${name}.safetensors`), bytes);
    }
    const script = fileURLToPath(new URL('../pytorch/train_step.py', import.meta.url));
    const configuration = JSON.stringify({ folder, ...options, ...hyperparameters });
    const rival = await startRival<Hello>([pythonInterpreter(), script, configuration]);
    if ('missing' in rival) return rival;
    let { cpuSeconds } = rival.hello;
    return {
      ...rival.hello,
      cpuSeconds: () => cpuSeconds,
      async time(layout, steps) {
        const answer = await rival.ask<Answer>({ layout, steps });
        if (!Number.isFinite(answer.loss)) {
          throw new Error(`PyTorch (${layout}): the loss must be finite, got ${answer.loss}.`);
        }
        cpuSeconds = answer.cpuSeconds;
        return answer.seconds;
      },
      stop: rival.stop,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Makes sure that a comparison is one: as many parameters, and the same loss from the same weights and views.
 *
 * @throws Error where the two do different work.
 */
export function requireSameWork(
  ours: { readonly parameters: number; readonly firstLoss: number },
  rival: Pick<PyTorchStep, 'parameters' | 'firstLoss'>,
): void {
  if (ours.parameters !== rival.parameters) {
    throw new Error(
      `bench train-step: both must train the same network, got ${ours.parameters} parameters here and ` +
        `${rival.parameters} in PyTorch.`,
    );
  }
  for (const layout of layouts) {
    if (!(Math.abs(rival.firstLoss[layout] - ours.firstLoss) <= 1e-3 * Math.abs(ours.firstLoss))) {
      throw new Error(
        `bench train-step: the same weights and views must give the same loss, got ${ours.firstLoss} here and ` +
          `${rival.firstLoss[layout]} from PyTorch (${layout}). One of the two does not do this step.`,
      );
    }
  }
}
