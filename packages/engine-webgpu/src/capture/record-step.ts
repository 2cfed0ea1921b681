import * as tf from '@tensorflow/tfjs-core';
import type { StepFunction } from '@tfjs-ssl/ops';
import { GpuBackend } from '../backend.ts';
import type { DataId } from '../stock-backend.ts';
import { RefusedStep } from './command-recorder.ts';
import { fingerprint } from './fingerprint.ts';
import { FixedData } from './fixed-data.ts';
import { Recording } from './recording.ts';
import { VariableHome } from './variable-home.ts';

/** Size of a recorded step. */
export interface RecordingSize {
  /** Number of program runs. */
  readonly dispatches: number;
  /** Number of copies between buffers, including those that write assigned variables back. */
  readonly copies: number;
  /** Memory of its intermediates and constants, in bytes. */
  readonly bytes: number;
}

/** One recording of a step, ready to be played. */
export interface RecordedStep {
  readonly recording: Recording;
  /** The step's outputs by name; outputs that are the same tensor share one. */
  readonly outputs: ReadonlyMap<string, FixedData>;
  /** The variables that the step refers to. */
  readonly homes: readonly VariableHome[];
  readonly size: RecordingSize;
  /** Describes it, to compare it with another recording. */
  readonly description: readonly string[];
  /** Gives back its memory and lets go of variables and of tensors from outside. */
  dispose(): void;
}

/** Whether a variable was on a device that is lost or was stopped: nobody can use it, and nobody need have disposed it. */
function isGone(backend: GpuBackend, { dataId }: tf.Variable): boolean {
  const owner: unknown = tf.engine().state.tensorInfo.get(dataId)?.backend;
  return owner instanceof GpuBackend && owner !== backend;
}

/**
 * Records a step: runs its function once without executing anything on the GPU.
 *
 * @param backend - the backend to record on; nothing may be recording there.
 * @param step - the step's function.
 * @param inputs - its inputs, in buffers that stay.
 * @param rehearsal - whether the recording is for its description alone; it makes no buffers then and cannot be played.
 * @throws RefusedStep where the step cannot be recorded; whatever the step itself throws. Variables are as before then.
 */
export function recordStep(
  backend: GpuBackend,
  step: StepFunction,
  inputs: ReadonlyMap<string, FixedData>,
  rehearsal: boolean,
): RecordedStep {
  const variables = Object.values(tf.engine().registeredVariables);
  const homes = variables.filter((variable) => !isGone(backend, variable)).map((variable) => enter(backend, variable));
  syncHomes(backend, homes);
  const known = new Set([...homes.map(({ data }) => data.dataId), ...[...inputs.values()].map(({ dataId }) => dataId)]);
  const recording = new Recording(backend, rehearsal, known);
  for (const { variable, data } of homes) recording.arena.name(data.buffer, `variable ${variable.name}`);
  for (const [name, { buffer }] of inputs) recording.arena.name(buffer, `input ${name}`);

  const outputs = new Map<string, FixedData>();
  const release = () => {
    for (const output of new Set(outputs.values())) output.release();
    outputs.clear();
    for (const home of homes) leave(backend, home);
    recording.unpin();
    recording.arena.destroy();
  };
  try {
    let moved: ReadonlySet<VariableHome> = new Set();
    try {
      recording.record(() => {
        takeOutputs(backend, recording, runStep(step, inputs), outputs);
        refuseNewVariables(variables);
        moved = bringHome(backend, recording, homes);
      });
    } finally {
      for (const home of homes) home.restore();
    }
    refuseLeftovers(backend, recording, outputs);
    const description = [
      ...fingerprint(backend, recording),
      ...[...outputs].map(([name, { buffer }]) => `output ${name}: ${recording.arena.nameOf(buffer)}`),
    ];
    const used = homes.filter((home) => moved.has(home) || recording.touched.has(home.data.dataId));
    for (const home of homes) if (!used.includes(home)) leave(backend, home);
    homes.splice(0, homes.length, ...used);
    const size = {
      dispatches: recording.commands.dispatchCount,
      copies: recording.commands.copyCount,
      bytes: recording.arena.numBytesAllocated,
    };
    return { recording, outputs, homes, size, description, dispose: release };
  } catch (error) {
    abandon(backend, recording);
    release();
    throw error;
  }
}

const byBackend = new WeakMap<GpuBackend, Map<tf.Variable, VariableHome>>();

/** Where the variables of a backend live that recorded steps refer to. */
export function homesOf(backend: GpuBackend): Map<tf.Variable, VariableHome> {
  const known = byBackend.get(backend) ?? new Map<tf.Variable, VariableHome>();
  byBackend.set(backend, known);
  return known;
}

function enter(backend: GpuBackend, variable: tf.Variable): VariableHome {
  const known = homesOf(backend);
  let home = known.get(variable);
  if (!home) {
    home = new VariableHome(backend, variable);
    known.set(variable, home);
  }
  home.users++;
  return home;
}

function leave(backend: GpuBackend, home: VariableHome): void {
  if (--home.users > 0) return;
  home.release();
  homesOf(backend).delete(home.variable);
}

/** Brings home what variables were assigned since the last replay. */
function syncHomes(backend: GpuBackend, homes: readonly VariableHome[]): void {
  for (const home of homes) home.prepare();
  backend.flush();
  const encoder = backend.device.createCommandEncoder();
  for (const home of homes) home.sync(encoder);
  backend.queue.submit([encoder.finish()]);
}

function runStep(step: StepFunction, inputs: ReadonlyMap<string, FixedData>): Record<string, tf.Tensor> {
  return tf.tidy(() => step(Object.fromEntries([...inputs].map(([name, data]) => [name, data.tensor()]))));
}

/** Takes hold of what the step returned. What is not its own (an input, a variable) is copied at the end of the step. */
function takeOutputs(
  backend: GpuBackend,
  recording: Recording,
  returned: Record<string, tf.Tensor>,
  outputs: Map<string, FixedData>,
): void {
  const byData = new Map<DataId, FixedData>();
  for (const [name, tensor] of Object.entries(returned)) {
    let data = byData.get(tensor.dataId);
    if (!data) {
      data = recording.created.has(tensor.dataId) ? new FixedData(backend, tensor) : copyOf(backend, recording, tensor);
      byData.set(tensor.dataId, data);
      backend.tensorMap.get(data.dataId).external = true; // it never gets into the pool
    }
    outputs.set(name, data);
  }
  tf.dispose(returned);
}

function copyOf(backend: GpuBackend, recording: Recording, tensor: tf.Tensor): FixedData {
  const info = backend.makeTensorInfo(tensor.shape, tensor.dtype);
  const data = new FixedData(backend, info);
  backend.forget(info.dataId);
  backend.commandQueueOwnedIds.add(tensor.dataId);
  recording.commands.copy(backend.bufferOf(tensor), data.buffer);
  return data;
}

/** Ends the step by copying the new values of assigned variables into their buffers; by way of a third buffer where variables swap. */
function bringHome(backend: GpuBackend, recording: Recording, homes: readonly VariableHome[]): Set<VariableHome> {
  const moved = homes.filter((home) => home.moved);
  const targets = new Set(moved.map(({ data }) => data.buffer));
  const copies = moved.map(({ variable, data }) => {
    backend.commandQueueOwnedIds.add(variable.dataId);
    return { source: backend.bufferOf(variable), target: data.buffer };
  });
  const direct = copies.map(({ source, target }) => {
    if (!targets.has(source)) return { source, target };
    const third = recording.arena.acquireBuffer(source.size, source.usage);
    recording.commands.copy(source, third);
    return { source: third, target };
  });
  for (const { source, target } of direct) recording.commands.copy(source, target);
  return new Set(moved);
}

function refuseNewVariables(before: readonly tf.Variable[]): void {
  const known = new Set(before);
  const made = Object.values(tf.engine().registeredVariables).filter((variable) => !known.has(variable));
  if (made.length === 0) return;
  const names = made.map(({ name }) => name).join(', ');
  tf.dispose(made);
  throw new RefusedStep(`it makes variables (${names}). Make them before the step.`);
}

function refuseLeftovers(backend: GpuBackend, recording: Recording, outputs: ReadonlyMap<string, FixedData>): void {
  const expected = new Set([...outputs.values()].map(({ dataId }) => dataId));
  const left = [...recording.created].filter((dataId) => backend.tensorMap.has(dataId) && !expected.has(dataId));
  if (left.length === 0) return;
  throw new RefusedStep(
    `it keeps ${left.length === 1 ? 'a tensor' : `${left.length} tensors`} beyond its end (tf.keep). Put what lasts from step to step into a ` +
      'tf.Variable that you make before the step; return what you want to read as an output.',
  );
}

/** Tensors that a failed recording leaves behind must not give its buffers to the pool. */
function abandon(backend: GpuBackend, recording: Recording): void {
  for (const dataId of recording.created) {
    if (backend.tensorMap.has(dataId)) Object.assign(backend.tensorMap.get(dataId), { external: true, resource: null });
  }
}
