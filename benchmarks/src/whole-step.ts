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
} from '@tfjs-ssl/engine-webgpu/profile';
import type { BenchResult, Log } from './bench.ts';
import { judge } from './quiet.ts';
import { type ResidentStep, residentStep } from './resident-step.ts';
import { runtimeName } from './runtime.ts';
import { median, significant, summarize } from './statistics.ts';
import { type Contestant, inTurns } from './turns.ts';
import {
  type CompileChoice,
  type RivalName,
  requireSameStart,
  startWholeStepRivals,
  type WholeStepRival,
} from './whole-step-rivals.ts';

/** Choices for measuring complete steps. */
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
  readonly compile: CompileChoice;
  /** Number of replays to profile; 0 for none. */
  readonly profile: number;
}

/** Measures the paper's complete step on the GPU, from 8-bit images on the device, in turns with PyTorch on the same card. */
export async function measureWholeStep(chosen: WholeStepChoices, engine: EngineInUse, log: Log): Promise<BenchResult> {
  const { batchSize, imageSize, width, stored, precision, rounds, steps } = chosen;
  const step = residentStep({ images: batchSize, imageSize, width, stored }, precision);
  let rivals: WholeStepRival[] = [];
  try {
    const started = await startWholeStepRivals(step, chosen.rivals, chosen);
    rivals = started.rivals;
    const { missing } = started;
    for (const reason of missing) log(`no comparison with PyTorch, ${reason}`);
    for (const { name, hello } of rivals) log(`rival ${name}: ${JSON.stringify(hello)}`);
    const firstLoss = await step.run(1);
    requireSameStart({ parameters: step.parameters, firstLoss }, rivals);
    await step.run(Math.max(2, chosen.warmUp)); // the second step is recorded
    log(`warm-up done; ${rounds} rounds of ${steps} steps follow`);

    const host: number[] = [];
    const failed = new Map<string, string>();
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
          name: contestantOf(rival, kind),
          round: () => timeWhileItWorks(rival, kind, steps, failed, log),
        })),
      ),
    ];
    const seconds = await inTurns(contestants, {
      rounds,
      afterRound: (round) => log(`round ${round + 1} of ${rounds}`),
    });
    const split = await phases(step, Math.max(3, rounds), log);
    const profile = chosen.profile > 0 ? await kernels(step, chosen.profile, log) : null;
    return report({
      chosen,
      engine,
      step,
      rivals,
      missing,
      failed,
      seconds,
      firstLoss,
      split,
      profile,
      host: median(host),
    });
  } finally {
    for (const rival of rivals) rival.stop();
    step.dispose();
  }
}

const contestantOf = ({ name }: Pick<WholeStepRival, 'name'>, kind: string) => `${name} ${kind}`;

/** The seconds of a rival's round. A rival that fails leaves the race, and the others continue. */
async function timeWhileItWorks(
  rival: WholeStepRival,
  kind: string,
  steps: number,
  failed: Map<string, string>,
  log: Log,
): Promise<number> {
  const contestant = contestantOf(rival, kind);
  if (failed.has(contestant)) return Number.NaN;
  try {
    return await rival.time(kind, steps);
  } catch (error) {
    failed.set(contestant, (error as Error).message);
    log(`${contestant} is out: ${(error as Error).message}`);
    return Number.NaN;
  }
}

/** Milliseconds of the parts of a step on the GPU; null if the device has no timestamps. */
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
  /** For each rival that did not start, the reason. */
  readonly missing: readonly string[];
  /** For each contestant that left the race, the reason. */
  readonly failed: ReadonlyMap<string, string>;
  readonly seconds: ReadonlyMap<string, readonly number[]>;
  readonly firstLoss: number;
  readonly split: Record<StepPhase, number> | null;
  readonly profile: { rows: ProfileRow[]; lines: string[] } | null;
  readonly host: number;
}

function report(measured: Measured): BenchResult {
  const { chosen, engine, step, rivals, missing, failed, firstLoss, split, profile, host } = measured;
  const { batchSize, imageSize, width, precision, rounds, steps } = chosen;
  const seconds = new Map([...measured.seconds].filter(([name]) => !failed.has(name)));
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
  const against = rivals.map((rival) => {
    const { version, device, cuda = null, cudnn = null, workers = null, warmUpSeconds } = rival.hello;
    const kinds = rival.hello.kinds
      .filter((kind) => !failed.has(contestantOf(rival, kind)))
      .map((kind) => {
        const times = figures(contestantOf(rival, kind));
        const ratio = significant(times.milliseconds / own.milliseconds, 3);
        return {
          ...{ kind, ratio, ...times, firstLoss: rival.hello.firstLoss[kind] },
          warmUpSeconds: warmUpSeconds[kind],
        };
      })
      .toSorted((a, b) => a.milliseconds - b.milliseconds);
    const broken = { ...rival.hello.failed };
    for (const kind of rival.hello.kinds) {
      const reason = failed.get(contestantOf(rival, kind));
      if (reason !== undefined) broken[kind] = reason;
    }
    return {
      ...{ rival: rival.name, ratio: kinds[0]?.ratio ?? null, best: kinds[0]?.kind ?? null },
      ...{ version: `PyTorch ${version}`, cuda, cudnn, device, workers, kinds, failed: broken },
    };
  });
  const { quiet, disturbances } = judge({ foreignCores: 0, loadAverage: 0, rounds: seconds });
  const parts = split && {
    ...Object.fromEntries(Object.entries(split).map(([name, value]) => [name, significant(value, 3)])),
    host: significant(host, 3),
  };
  const runtime = runtimeName(engine.name);
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
      missing,
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
        `complete, from ${batchSize} 8-bit images on the device: ResNet-18 of width ${width}, ${views} views, ${precision}`,
      ],
      ['measured', `${rounds} rounds of ${steps} steps, in turns; median (fastest to slowest round)`],
      [engine.name, `${own.milliseconds} ms (${own.spread.join(' to ')}), ${own.viewsPerSecond} views/s`],
      [
        'parts',
        parts
          ? Object.entries(parts)
              .map(([name, value]) => `${name} ${value} ms`)
              .join(', ')
          : `host ${significant(host, 3)} ms; no timestamps on this device`,
      ],
      ...against.flatMap(({ rival, kinds, failed }) => [
        ...kinds.map(
          ({ kind, ratio, milliseconds, viewsPerSecond, spread }) =>
            [
              `${rival}, ${kind}`,
              `${milliseconds} ms (${spread.join(' to ')}), ${viewsPerSecond} views/s; ratio ${ratio}`,
            ] as const,
        ),
        ...Object.entries(failed).map(([kind, reason]) => [`${rival}, ${kind}`, `FAILED: ${reason}`] as const),
      ]),
      ...missing.map((reason) => ['no comparison', reason] as const),
      ['device', engine.device],
      ['even rounds', quiet ? 'yes' : `NO: ${disturbances.join('; ')}`],
      ...(profile?.lines.map((line) => ['', line] as const) ?? []),
    ],
  };
}
