import type { PassTimer } from '../capture/command-recorder.ts';
import type { Recording } from '../capture/recording.ts';
import { groupsOf, type KernelGroup, phasesOf, type StepPhase } from './kernel-groups.ts';

/** A dispatch of a recorded step, and the work it does. */
export interface ProfiledDispatch {
  /** Name of the kernel, followed by numbers that distinguish its variants. */
  readonly kernel: string;
  readonly group: KernelGroup;
  readonly phase: StepPhase;
  /** Floating-point operations of products; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes that it must read and write at least. */
  readonly bytes: number;
  /** The unit that does its operations. */
  readonly unit: 'multiplyAdd' | 'matrix';
}

/** Dispatches of a replay that ran in one pass, and their time on the GPU. */
export interface TimedPass {
  readonly dispatches: readonly ProfiledDispatch[];
  /** Seconds since the first pass started. */
  readonly begin: number;
  readonly end: number;
}

/** The times of one replay, measured by the GPU's own clock. */
export type StepProfile = readonly TimedPass[];

/** How to divide a step. `'dispatch'` measures every dispatch alone, which adds some time between them. `'phase'` hardly disturbs the step. */
export type ProfileBy = 'dispatch' | 'phase';

/** Measures replays. */
export class StepProfiler {
  readonly #device: GPUDevice;
  readonly #by: ProfileBy;
  readonly #timers: ReplayTimer[] = [];

  constructor(device: GPUDevice, by: ProfileBy) {
    this.#device = device;
    this.#by = by;
  }

  timerOf(recording: Recording): ReplayTimer {
    const timer = new ReplayTimer(this.#device, describeDispatches(recording), this.#by);
    this.#timers.push(timer);
    return timer;
  }

  /** The profile of every replay so far. */
  async profiles(): Promise<StepProfile[]> {
    return Promise.all(this.#timers.map((timer) => timer.read()));
  }

  dispose(): void {
    for (const timer of this.#timers) timer.dispose();
  }
}

/** Describes what a recording does, dispatch by dispatch. */
export function describeDispatches(recording: Recording): ProfiledDispatch[] {
  const { dispatches } = recording.commands;
  const kernels = dispatches.map(({ pipeline }) => pipeline.label || 'unnamed');
  const [groups, phases] = [groupsOf(kernels), phasesOf(kernels)];
  return dispatches.map(({ group }, i) => {
    const { flops = 0, bytes = 0, unit = 'multiplyAdd' } = recording.workOf(group);
    const [kernel, of, phase] = [kernels[i], groups[i], phases[i]] as [string, KernelGroup, StepPhase];
    return { kernel, group: of, phase, flops, bytes, unit };
  });
}

/** Number of passes that fit into a query set; WebGPU allows 4096 timestamps. */
const MOST_PASSES = 2048;

class ReplayTimer implements PassTimer {
  readonly #dispatches: readonly ProfiledDispatch[];
  readonly #by: ProfileBy;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #read: GPUBuffer;
  /** Indices of the dispatches that start a pass. */
  readonly #begins: number[] = [];

  constructor(device: GPUDevice, dispatches: readonly ProfiledDispatch[], by: ProfileBy) {
    this.#dispatches = dispatches;
    this.#by = by;
    const most = Math.min(MOST_PASSES, dispatches.length);
    const size = 16 * Math.max(1, most);
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * Math.max(1, most) });
    this.#resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.#read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  begins(dispatch: number): boolean {
    if (this.#begins.length >= MOST_PASSES) return false;
    const { [dispatch]: here, [dispatch - 1]: before } = this.#dispatches;
    return this.#by === 'dispatch' || here?.phase !== before?.phase;
  }

  pass(dispatch: number): GPUComputePassDescriptor {
    if (this.#begins.length >= MOST_PASSES) return {};
    const query = 2 * this.#begins.push(dispatch) - 2;
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: query,
        endOfPassWriteIndex: query + 1,
      },
    };
  }

  /** Ends the replay that was encoded. */
  end(encoder: GPUCommandEncoder): void {
    const count = 2 * this.#begins.length;
    if (count === 0) return;
    encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#read, 0, 8 * count);
  }

  async read(): Promise<StepProfile> {
    await this.#read.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(this.#read.getMappedRange());
    const first = stamps[0] as bigint;
    const seconds = (index: number) => Number((stamps[index] as bigint) - first) / 1e9;
    const passes = this.#begins.map((from, i) => ({
      dispatches: this.#dispatches.slice(from, this.#begins[i + 1] ?? this.#dispatches.length),
      begin: seconds(2 * i),
      end: seconds(2 * i + 1),
    }));
    this.#read.unmap();
    return passes;
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#read.destroy();
  }
}
