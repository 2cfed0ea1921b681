import type { DataId } from './stock-backend.ts';
import type { Work } from './work.ts';

/** What takes the place of the device while a step is recorded, as the backend and the kernels know it. */
export interface Recorder {
  /** Takes the commands. */
  readonly commands: object;
  /** Data that the step made, its constants included. */
  readonly created: Set<DataId>;
  /** Gives data that recorded work refers to a buffer. */
  upload(dataId: DataId): void;
  /** Executes at once what belongs to data from outside, and not to the step. */
  outside(run: () => void): void;
  /** A kernel changes data in place. */
  beforeWrite(dataId: DataId): void;
  /** A uniform block of a stock kernel. */
  uniforms(words: Uint32Array<ArrayBuffer>): GPUBindingResource;
  /** Notes what a dispatch does, and which data it writes. */
  describe(group: GPUBindGroup, changed: readonly DataId[], work: Work | undefined): void;
  /** The step reads data: the error to throw. */
  refuseRead(how: string): Error;
}
