/** A run of a program, as it was recorded. */
export interface RecordedDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** A copy from buffer to buffer, as it was recorded. */
interface RecordedCopy {
  readonly source: GPUBuffer;
  readonly sourceOffset: number;
  readonly target: GPUBuffer;
  readonly targetOffset: number;
  readonly size: number;
}

/** Neighbours of one kind. */
export type Segment = { readonly dispatches: RecordedDispatch[] } | { readonly copies: RecordedCopy[] };

/** Divides a replay into passes whose times are taken. */
export interface PassTimer {
  /** Whether a pass of its own begins with a dispatch, by its number in the recording. */
  begins(dispatch: number): boolean;
  /** What the pass is that begins with a dispatch: because of {@link PassTimer.begins}, or because copies came before. */
  pass(dispatch: number): GPUComputePassDescriptor;
}

/** Why a step cannot be recorded, with what to do. */
export class RefusedStep extends Error {
  constructor(reason: string) {
    super(`engine-webgpu: this step cannot be recorded: ${reason}`);
  }
}

/**
 * Stands for the command encoder and for its compute passes while a step is recorded: keeps their commands, of stock kernels and ours alike,
 * and executes none.
 */
export class CommandRecorder {
  readonly segments: Segment[] = [];
  #pipeline: GPUComputePipeline | null = null;
  #group: GPUBindGroup | null = null;

  beginComputePass(descriptor?: GPUComputePassDescriptor): this {
    if (descriptor?.timestampWrites) {
      throw new RefusedStep('it measures time (tf.time or tf.profile). Measure the compiled step from outside.');
    }
    return this;
  }

  end(): void {}

  setPipeline(pipeline: GPUComputePipeline): void {
    this.#pipeline = pipeline;
  }

  setBindGroup(index: number, group: GPUBindGroup, ...offsets: unknown[]): void {
    if (index !== 0 || offsets.length > 0) {
      throw new RefusedStep('a kernel uses several bind groups or dynamic offsets. Bind everything in group 0.');
    }
    this.#group = group;
  }

  dispatchWorkgroups(x: number, y = 1, z = 1): void {
    let last = this.segments.at(-1);
    if (!last || !('dispatches' in last)) {
      last = { dispatches: [] };
      this.segments.push(last);
    }
    const [pipeline, group] = [this.#pipeline as GPUComputePipeline, this.#group as GPUBindGroup];
    last.dispatches.push({ pipeline, group, workgroups: [x, y, z] });
  }

  copyBufferToBuffer(
    source: GPUBuffer,
    sourceOffset: number,
    target: GPUBuffer,
    targetOffset: number,
    size: number,
  ): void {
    let last = this.segments.at(-1);
    if (!last || !('copies' in last)) {
      last = { copies: [] };
      this.segments.push(last);
    }
    last.copies.push({ source, sourceOffset, target, targetOffset, size });
  }

  /** Copies a whole buffer. */
  copy(source: GPUBuffer, target: GPUBuffer): void {
    this.copyBufferToBuffer(source, 0, target, 0, source.size);
  }

  /** Number of recorded dispatches. */
  get dispatchCount(): number {
    return this.segments.reduce((sum, segment) => sum + ('dispatches' in segment ? segment.dispatches.length : 0), 0);
  }

  /** Number of recorded copies. */
  get copyCount(): number {
    return this.segments.reduce((sum, segment) => sum + ('copies' in segment ? segment.copies.length : 0), 0);
  }

  /** Recorded dispatches in their order. */
  get dispatches(): RecordedDispatch[] {
    return this.segments.flatMap((segment) => ('dispatches' in segment ? segment.dispatches : []));
  }

  /**
   * Writes all commands into an encoder.
   *
   * @param timer - takes times; default: passes as long as they can be.
   */
  play(encoder: GPUCommandEncoder, timer?: PassTimer): void {
    let number = 0;
    for (const segment of this.segments) {
      if ('copies' in segment) {
        for (const { source, sourceOffset, target, targetOffset, size } of segment.copies) {
          encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, size);
        }
      } else {
        let pass = encoder.beginComputePass(timer?.pass(number));
        let current: GPUComputePipeline | null = null;
        for (const [i, { pipeline, group, workgroups }] of segment.dispatches.entries()) {
          if (timer && i > 0 && timer.begins(number)) {
            pass.end();
            pass = encoder.beginComputePass(timer.pass(number));
            current = null;
          }
          number++;
          if (pipeline !== current) pass.setPipeline(pipeline);
          current = pipeline;
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
        }
        pass.end();
      }
    }
  }
}
