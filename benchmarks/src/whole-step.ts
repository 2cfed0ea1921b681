import * as tf from '@tensorflow/tfjs-core';
import type { EngineInUse } from '@tfjs-ssl/engine';
import {
  measurePeaks,
  type PeakDevice,
  type ProfileRow,
  phaseMilliseconds,
  profileRows,
  profileTable,
  type StepPhase,
} from '@tfjs-ssl/engine-webgpu';
import type { BenchResult, Log } from './bench.ts';
import { judge } from './quiet.ts';
import { type ResidentStep, residentStep } from './resident-step.ts';
import { median, significant, summarize } from './statistics.ts';
import { type Contestant, inTurns } from './turns.ts';
import { type RivalName, requireSameStart, startWholeStepRivals, type WholeStepRival } from './whole-step-rivals.ts';

/** What is measured of whole steps. */
export interface WholeStepChoices {
  readonly batchSize: number;
  readonly imageSize: number;
  readonly width: number;
  /** Images on the device. */
  readonly stored: number;
  readonly precision: 'float32' | 'mixed';
  readonly rounds: number;
  readonly steps: number;
  readonly warmUp: number;
  readonly rivals: readonly RivalName[];
  readonly workers: number;
  readonly compile: boolean;
  /** Replays of which a profile is made; 0 for none. */
  readonly profile: number;
}

/** The whole step of the paper on the GPU, from resident 8-bit images on, beside PyTorch doing the same on the same card. */
export async function measureWholeStep(chosen: WholeStepChoices, engine: EngineInUse, log: Log): Promise<BenchResult> {
  const { batchSize, imageSize, width, stored, precision, rounds, steps } = chosen;
  const step = residentStep({ images: batchSize, imageSize, width, stored }, precision);
  let rivals: WholeStepRival[] = [];
  try {
    const started = await startWholeStepRivals(step, chosen.rivals, chosen);
    rivals = started.rivals;
    for (const reason of started.missing) log(`no comparison with PyTorch, ${reason}`);
    for (const { name, hello } of rivals) log(`rival ${name}: ${JSON.stringify(hello)}`);
    const firstLoss = await step.run(1);
    requireSameStart({ parameters: step.parameters, firstLoss }, rivals);
    await step.run(Math.max(2, chosen.warmUp)); // the second step is recorded
    log(`warm, ${rounds} rounds of ${steps} steps follow`);

    const host: number[] = [];
    const contestants: Contestant[] = [
      {
        name: engine.name,
        async round() {
          const { all, host: own } = await step.time(steps);
          host.push((1000 * own) / steps);
          return all;
        },
      },
      ...rivals.flatMap((rival) =>
        rival.hello.kinds.map((kind) => ({
          name: `${rival.name} ${kind}`,
          round: () => rival.time(kind, steps),
        })),
      ),
    ];
    const seconds = await inTurns(contestants, {
      rounds,
      afterRound: (round) => log(`round ${round + 1} of ${rounds}`),
    });
    const split = await phases(step, Math.max(3, rounds), log);
    const profile = chosen.profile > 0 ? await kernels(step, chosen.profile, log) : null;
    return report({ chosen, engine, step, rivals, seconds, firstLoss, split, profile, host: median(host) });
  } finally {
    for (const rival of rivals) rival.stop();
    step.dispose();
  }
}

/** Milliseconds of the parts of a step on the GPU; null where the device has no timestamps. */
async function phases(step: ResidentStep, replays: number, log: Log): Promise<Record<StepPhase, number> | null> {
  try {
    return phaseMilliseconds(await step.profile(replays, 'phase'));
  } catch (error) {
    log(`no split: ${(error as Error).message}`);
    return null;
  }
}

async function kernels(
  step: ResidentStep,
  replays: number,
  log: Log,
): Promise<{ rows: ProfileRow[]; lines: string[] } | null> {
  const peaks = await measurePeaks(tf.backend() as unknown as PeakDevice);
  try {
    const rows = profileRows(await step.profile(replays, 'dispatch'), peaks);
    return { rows, lines: profileTable(rows, peaks) };
  } catch (error) {
    log(`no profile: ${(error as Error).message}`);
    return null;
  }
}

interface Measured {
  readonly chosen: WholeStepChoices;
  readonly engine: EngineInUse;
  readonly step: ResidentStep;
  readonly rivals: readonly WholeStepRival[];
  readonly seconds: ReadonlyMap<string, readonly number[]>;
  readonly firstLoss: number;
  readonly split: Record<StepPhase, number> | null;
  readonly profile: { rows: ProfileRow[]; lines: string[] } | null;
  readonly host: number;
}

function report({ chosen, engine, step, rivals, seconds, firstLoss, split, profile, host }: Measured): BenchResult {
  const { batchSize, imageSize, width, precision, rounds, steps } = chosen;
  const views = 2 * batchSize;
  const figures = (name: string) => {
    const times = summarize(seconds.get(name)!.map((time) => (1000 * time) / steps));
    return {
      viewsPerSecond: significant((1000 * views) / times.median),
      milliseconds: significant(times.median),
      spread: [significant(times.minimum), significant(times.maximum)],
    };
  };
  const own = figures(engine.name);
  const against = rivals.map(({ name, hello }) => {
    const kinds = hello.kinds.map((kind) => ({
      kind,
      ...figures(`${name} ${kind}`),
      firstLoss: hello.firstLoss[kind],
    }));
    const [best] = kinds.toSorted((a, b) => a.milliseconds - b.milliseconds);
    const { version, device, workers = null, compiled = null } = hello;
    const ratio = significant(best!.milliseconds / own.milliseconds, 3);
    return { rival: name, ratio, best: best!.kind, version: `PyTorch ${version}`, device, workers, compiled, kinds };
  });
  const { quiet, disturbances } = judge({ foreignCores: 0, loadAverage: 0, rounds: seconds });
  const parts = split && {
    ...Object.fromEntries(Object.entries(split).map(([name, value]) => [name, significant(value, 3)])),
    host: significant(host, 3),
  };
  const runtime = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  return {
    record: {
      bench: 'train-step',
      step: 'whole',
      ...own,
      precision,
      split: parts ?? { host: significant(host, 3) },
      engine: engine.name,
      engineVersion: engine.version,
      device: engine.device,
      runtime,
      rivals: against,
      quiet,
      disturbances,
      rounds,
      steps,
      batchSize,
      imageSize,
      width,
      stored: chosen.stored,
      parameters: step.parameters,
      firstLoss,
      ...(profile ? { profile: profile.rows } : {}),
    },
    table: [
      [
        'step',
        `whole, from ${batchSize} resident 8-bit images on: ResNet-18 of width ${width}, ${views} views, ${precision}`,
      ],
      ['measured', `${rounds} rounds of ${steps} steps in turns: median (fastest to slowest round)`],
      [engine.name, `${own.milliseconds} ms (${own.spread.join(' to ')}), ${own.viewsPerSecond} views/s`],
      [
        'of these',
        parts
          ? Object.entries(parts)
              .map(([name, value]) => `${name} ${value} ms`)
              .join(', ')
          : `host ${significant(host, 3)} ms; no timestamps on this device`,
      ],
      ...against.flatMap(({ rival, kinds }) =>
        kinds.map(
          ({ kind, milliseconds, viewsPerSecond, spread }) =>
            [`${rival}, ${kind}`, `${milliseconds} ms (${spread.join(' to ')}), ${viewsPerSecond} views/s`] as const,
        ),
      ),
      ...against.map(({ rival, ratio, best }) => [`ratio to ${rival}`, `${ratio} of its ${best}`] as const),
      ['device', engine.device],
      ['even rounds', quiet ? 'yes' : `NO: ${disturbances.join('; ')}`],
      ...(profile?.lines.map((line) => ['', line] as const) ?? []),
    ],
  };
}
