import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonInterpreters, startRival } from './rival.ts';
import { hyperparameters, type SimclrStep } from './simclr-step.ts';

/** One way in which PyTorch does the step: memory layout, eager or compiled, arithmetic. Which is the fastest depends on machine and version. */
export interface Way {
  readonly name: string;
  /** What it multiplies in: `float32`, or `bfloat16` in part, which is other arithmetic. */
  readonly precision: 'float32' | 'bfloat16';
  /** Loss of the very first step. */
  readonly firstLoss: number;
  /** The fastest of a few steps after it was warm. */
  readonly trialSeconds: number;
  /** Until it was warm, compilation included. */
  readonly warmUpSeconds: number;
}

interface Hello {
  readonly version: string;
  readonly threads: number;
  readonly parameters: number;
  readonly ways: readonly Way[];
  /** Ways that do not work there, and why. */
  readonly failed: Readonly<Record<string, string>>;
  readonly cpuSeconds: number;
}

/** PyTorch of one interpreter, doing the same step in a process of its own. */
export interface PyTorchStep extends Omit<Hello, 'cpuSeconds'> {
  /** Processor time that it has used so far, in seconds. */
  cpuSeconds(): number;
  /** Does steps in one way and returns the seconds they took. */
  time(way: string, steps: number): Promise<number>;
  stop(): void;
}

interface Answer {
  readonly seconds: number;
  readonly loss: number;
  readonly cpuSeconds: number;
}

/**
 * Starts PyTorch on the weights and views of a step that has not run yet, and lets all its ways warm up; once for every interpreter in `PYTHON`.
 *
 * @returns the rivals that are there; of each other interpreter, why not.
 */
export async function startPyTorchSteps(
  step: Pick<SimclrStep, 'files'>,
  options: { readonly threads: number; readonly warmUp: number; readonly compile: boolean },
): Promise<{ rivals: PyTorchStep[]; missing: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-bench-'));
  const rivals: PyTorchStep[] = [];
  const missing: string[] = [];
  try {
    for (const [name, bytes] of Object.entries(await step.files())) {
      await writeFile(join(folder, `${name}.safetensors`), bytes);
    }
    const script = fileURLToPath(new URL('../pytorch/train_step.py', import.meta.url));
    const configuration = JSON.stringify({ folder, ...options, ...hyperparameters });
    for (const interpreter of pythonInterpreters()) {
      const rival = await startRival<Hello>([interpreter, script, configuration]);
      if ('missing' in rival) {
        missing.push(rival.missing);
        continue;
      }
      let { cpuSeconds } = rival.hello;
      rivals.push({
        ...rival.hello,
        cpuSeconds: () => cpuSeconds,
        async time(way, steps) {
          const answer = await rival.ask<Answer>({ way, steps });
          if (!Number.isFinite(answer.loss)) {
            throw new Error(`PyTorch (${way}): the loss must be finite, got ${answer.loss}.`);
          }
          cpuSeconds = answer.cpuSeconds;
          return answer.seconds;
        },
        stop: rival.stop,
      });
    }
    return { rivals, missing };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A way of a rival that takes part in the measurement. */
export interface Entrant {
  /** Of the contestant. */
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  readonly way: Way;
  time(steps: number): Promise<number>;
}

/** Ways whose trial took so much longer than that of the fastest of their precision do not take part. */
const HOPELESS = 1.25;

/** The ways of all rivals that may be the fastest of their precision. */
export function entrantsOf(rivals: readonly PyTorchStep[]): Entrant[] {
  const all = rivals.flatMap((rival) =>
    rival.ways.map((way) => ({
      name: `PyTorch ${rival.version}, ${way.name}`,
      version: rival.version,
      threads: rival.threads,
      way,
      time: (steps: number) => rival.time(way.name, steps),
    })),
  );
  const fastest = (precision: Way['precision']) =>
    Math.min(...all.filter(({ way }) => way.precision === precision).map(({ way }) => way.trialSeconds));
  // of every version the fastest float32 way stays, so that versions can be compared
  const bestOf = (version: string) =>
    Math.min(
      ...all
        .filter((entrant) => entrant.version === version && entrant.way.precision === 'float32')
        .map(({ way }) => way.trialSeconds),
    );
  return all.filter(
    ({ way, version }) =>
      way.trialSeconds <= HOPELESS * fastest(way.precision) ||
      (way.precision === 'float32' && way.trialSeconds === bestOf(version)),
  );
}

/**
 * How far the first losses may be apart: float32 rounds differently everywhere. bfloat16 keeps 8 bits of the cosines that the temperature
 * divides, and fewer of what the network makes of the views: an error of the logits, however small the loss is.
 */
const tolerances: Readonly<Record<Way['precision'], (loss: number) => number>> = {
  float32: (loss) => 1e-3 * Math.abs(loss),
  bfloat16: () => 2 ** -6 / hyperparameters.temperature,
};

/**
 * Makes sure that a comparison is one: as many parameters, and the same loss from the same weights and views.
 *
 * @throws Error if the two do different work.
 */
export function requireSameWork(
  ours: { readonly parameters: number; readonly firstLoss: number },
  rival: Pick<PyTorchStep, 'parameters' | 'ways'>,
): void {
  if (ours.parameters !== rival.parameters) {
    throw new Error(
      `bench train-step: both must train the same network, got ${ours.parameters} parameters here and ` +
        `${rival.parameters} in PyTorch.`,
    );
  }
  for (const { name, precision, firstLoss } of rival.ways) {
    if (!(Math.abs(firstLoss - ours.firstLoss) <= tolerances[precision](ours.firstLoss))) {
      throw new Error(
        `bench train-step: the same weights and views must give the same loss, got ${ours.firstLoss} here and ` +
          `${firstLoss} from PyTorch (${name}). One of the two does not do this step.`,
      );
    }
  }
}
