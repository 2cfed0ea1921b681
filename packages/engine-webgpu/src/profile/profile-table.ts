import { argumentError } from '@tfjs-ssl/checks';
import type { GpuPeaks } from '../roofline/measure-peaks.ts';
import { type KernelGroup, kernelGroups, type StepPhase, stepPhases } from './kernel-groups.ts';
import type { ProfiledDispatch, StepProfile } from './step-profiler.ts';

/** All kernels of a group in one step. */
export interface ProfileRow {
  readonly group: KernelGroup | 'all';
  readonly dispatches: number;
  /** Milliseconds on the GPU. */
  readonly milliseconds: number;
  /** Share of the total time, from 0 to 1. */
  readonly share: number;
  readonly gigabytes: number;
  /** Floating-point operations of products, in 10^9; null if the group has no products. */
  readonly gigaflop: number | null;
  /** Milliseconds at the device's measured peaks: for every kernel, the larger of the times for its operations and for its bytes. */
  readonly rooflineMilliseconds: number;
}

/**
 * Computes the times of a step by groups of kernels, beside the roofline.
 *
 * @param profiles - replays of one step, measured by dispatch. Each dispatch counts with the median of its times.
 * @param peaks - the rates that the device reaches.
 * @returns one row for each group that has kernels, and one for all groups together.
 */
export function profileRows(profiles: readonly StepProfile[], peaks: GpuPeaks): ProfileRow[] {
  const [first] = profiles;
  if (!first) {
    throw argumentError({
      fn: 'profileRows',
      argument: 'profiles',
      required: 'hold at least one profile',
      got: profiles,
      shown: 'none',
      advice: 'Replay the step while it is profiled.',
    });
  }
  const passes = first.map(({ dispatches }, i) => ({
    dispatches,
    seconds: median(profiles.map((profile) => (profile[i] ? profile[i].end - profile[i].begin : 0))),
  }));
  const total = passes.reduce((sum, { seconds }) => sum + seconds, 0);
  const row = (group: ProfileRow['group'], of: typeof passes): ProfileRow => {
    const dispatches = of.flatMap((pass) => pass.dispatches);
    const sum = (value: (dispatch: ProfiledDispatch) => number) => dispatches.reduce((s, d) => s + value(d), 0);
    const seconds = of.reduce((s, pass) => s + pass.seconds, 0);
    const flops = sum((d) => d.flops);
    return {
      group,
      dispatches: dispatches.length,
      milliseconds: 1e3 * seconds,
      share: seconds / total,
      gigabytes: sum((d) => d.bytes) / 1e9,
      gigaflop: flops === 0 ? null : flops / 1e9,
      rooflineMilliseconds: 1e3 * sum((d) => roofline(d, peaks)),
    };
  };
  const groups = kernelGroups
    .map((group) => [group, passes.filter(({ dispatches }) => dispatches[0]?.group === group)] as const)
    .filter(([, of]) => of.length > 0);
  return [...groups.map(([group, of]) => row(group, of)), row('all', passes)];
}

/** Seconds of a dispatch at the peaks. */
function roofline({ flops, bytes, unit }: ProfiledDispatch, peaks: GpuPeaks): number {
  const peak = unit === 'matrix' ? (peaks.matrix ?? peaks.multiplyAdd) : peaks.multiplyAdd;
  return Math.max(flops / peak, bytes / peaks.bandwidth);
}

/**
 * Computes the milliseconds of each phase of a training step, from the start of its first dispatch to the end of its last.
 *
 * @param profiles - replays of one step, measured by phase. The result is the median over the replays.
 */
export function phaseMilliseconds(profiles: readonly StepProfile[]): Record<StepPhase, number> {
  const times = (phase: StepPhase) =>
    profiles.map((profile) => {
      const own = profile.filter(({ dispatches }) => dispatches[0]?.phase === phase);
      return own.length === 0 ? 0 : 1e3 * ((own.at(-1)?.end ?? 0) - (own[0]?.begin ?? 0));
    });
  return Object.fromEntries(stepPhases.map((phase) => [phase, median(times(phase))])) as Record<StepPhase, number>;
}

/** Formats the rows of a profile as lines of text, below the peaks of the device. */
export function profileTable(rows: readonly ProfileRow[], peaks: GpuPeaks): string[] {
  const tera = (value: number) => `${digits(value / 1e12)} TFLOP/s`;
  const cells = [
    ['kernels', 'dispatches', 'ms', 'share', 'GB', 'GB/s', 'GFLOP', 'GFLOP/s', 'roofline ms', 'of roofline'],
    ...rows.map((row) => [
      row.group,
      `${row.dispatches}`,
      row.milliseconds.toFixed(3),
      `${(100 * row.share).toFixed(1)} %`,
      digits(row.gigabytes),
      digits((1e3 * row.gigabytes) / row.milliseconds),
      row.gigaflop === null ? '-' : digits(row.gigaflop),
      row.gigaflop === null ? '-' : digits((1e3 * row.gigaflop) / row.milliseconds),
      row.rooflineMilliseconds.toFixed(3),
      `${((100 * row.rooflineMilliseconds) / row.milliseconds).toFixed(1)} %`,
    ]),
  ];
  const widths = (cells[0] as string[]).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return [
    `Measured on this device: ${tera(peaks.multiplyAdd)} in multiply-adds, ` +
      `${peaks.matrix === null ? 'no matrix units' : `${tera(peaks.matrix)} on matrix units`}, ${digits(peaks.bandwidth / 1e9)} GB/s.`,
    ...cells.map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  '),
    ),
  ];
}

const digits = (value: number): string => `${Number(value.toPrecision(3))}`;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
