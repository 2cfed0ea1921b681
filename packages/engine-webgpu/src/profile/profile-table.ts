import type { GpuPeaks } from '../roofline/measure-peaks.ts';
import { type KernelGroup, kernelGroups, type StepPhase, stepPhases } from './kernel-groups.ts';
import type { ProfiledDispatch, StepProfile } from './step-profiler.ts';

/** All kernels of a group in one step. */
export interface ProfileRow {
  readonly group: KernelGroup | 'all';
  readonly dispatches: number;
  /** On the GPU. */
  readonly milliseconds: number;
  /** Part of the time of all. */
  readonly share: number;
  readonly gigabytes: number;
  /** Of products; null where a group has none. */
  readonly gigaflop: number | null;
  /** What it would take at the device's measured peaks: for every kernel the larger of operations and bytes. */
  readonly rooflineMilliseconds: number;
}

/**
 * The times of a step by groups of kernels, next to the roofline.
 *
 * @param profiles - replays of one step, each dispatch by itself; a dispatch counts with the median of its times.
 * @param peaks - what the device reaches.
 * @returns groups that have kernels, and all together.
 */
export function profileRows(profiles: readonly StepProfile[], peaks: GpuPeaks): ProfileRow[] {
  const [first] = profiles;
  if (!first) {
    throw new RangeError(
      'profileRows: at least one profile is required, got none. Replay the step while it is profiled.',
    );
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

/** Seconds that a dispatch takes at the peaks. */
function roofline({ flops, bytes, unit }: ProfiledDispatch, peaks: GpuPeaks): number {
  const peak = unit === 'matrix' ? (peaks.matrix ?? peaks.multiplyAdd) : peaks.multiplyAdd;
  return Math.max(flops / peak, bytes / peaks.bandwidth);
}

/**
 * Milliseconds of each phase of a training step, from the beginning of its first dispatch to the end of its last.
 *
 * @param profiles - replays of one step, taken by phase; medians count.
 */
export function phaseMilliseconds(profiles: readonly StepProfile[]): Record<StepPhase, number> {
  const times = (phase: StepPhase) =>
    profiles.map((profile) => {
      const own = profile.filter(({ dispatches }) => dispatches[0]?.phase === phase);
      return own.length === 0 ? 0 : 1e3 * ((own.at(-1)?.end ?? 0) - (own[0]?.begin ?? 0));
    });
  return Object.fromEntries(stepPhases.map((phase) => [phase, median(times(phase))])) as Record<StepPhase, number>;
}

/** The rows of a profile as text, a line each, with the peaks above them. */
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
