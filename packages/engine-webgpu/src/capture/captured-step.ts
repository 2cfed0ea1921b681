import type * as tf from '@tensorflow/tfjs-core';
import type { CapturedStep, StepFunction, StepInputs } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { RefusedStep } from './command-recorder.ts';
import { firstDifference } from './fingerprint.ts';
import { FixedData } from './fixed-data.ts';
import { type RecordedStep, type RecordingSize, recordStep } from './record-step.ts';
import { replayTimers } from './replay-timers.ts';

/**
 * Records a step for replay. It makes two recordings and compares them, to find everything that differs from run to run, such as a random
 * number or a counter.
 *
 * @throws RefusedStep that gives the reason, if the step cannot be recorded.
 */
export function captureStep(backend: GpuBackend, step: StepFunction, specs: StepInputs): GpuCapturedStep {
  const [inputs, dropInputs] = makeInputs(backend, specs);
  try {
    const rehearsal = recordStep(backend, step, inputs, true);
    rehearsal.dispose();
    const recorded = recordStep(backend, step, inputs, false);
    const difference = firstDifference(rehearsal.description, recorded.description);
    if (difference !== null) {
      recorded.dispose();
      throw new RefusedStep(
        'two recordings of it differ, so it depends on something that is neither an input nor a variable (a random number, a counter). ' +
          `Pass that as a tensor. The two differ ${difference}`,
      );
    }
    return new GpuCapturedStep(backend, step, inputs, recorded, dropInputs);
  } catch (error) {
    dropInputs();
    throw error;
  }
}

/**
 * Tells what a recording of a step would contain, without memory for it.
 *
 * @throws RefusedStep if the step cannot be recorded.
 */
export function rehearseStep(backend: GpuBackend, step: StepFunction, specs: StepInputs): RecordingSize {
  const [inputs, dropInputs] = makeInputs(backend, specs);
  try {
    const rehearsal = recordStep(backend, step, inputs, true);
    rehearsal.dispose();
    return rehearsal.size;
  } finally {
    dropInputs();
  }
}

function makeInputs(backend: GpuBackend, specs: StepInputs): [inputs: Map<string, FixedData>, drop: () => void] {
  const inputs = new Map(
    Object.entries(specs).map(([name, { shape, dtype }]) => [name, makeInput(backend, shape, dtype)]),
  );
  const drop = () => {
    for (const input of inputs.values()) {
      input.buffer.destroy();
      input.release();
    }
  };
  return [inputs, drop];
}

function makeInput(backend: GpuBackend, shape: readonly number[], dtype: tf.DataType): FixedData {
  const size =
    4 *
    Math.max(
      1,
      shape.reduce((product, length) => product * length, 1),
    );
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  return FixedData.on(backend, backend.device.createBuffer({ label: 'input', size, usage }), shape, dtype);
}

/** A recorded step with the buffers of its inputs. */
export class GpuCapturedStep implements CapturedStep {
  readonly recorded: RecordedStep;
  readonly #backend: GpuBackend;
  readonly #step: StepFunction;
  readonly #inputs: ReadonlyMap<string, FixedData>;
  readonly #dropInputs: () => void;
  #disposed = false;

  constructor(
    backend: GpuBackend,
    step: StepFunction,
    inputs: ReadonlyMap<string, FixedData>,
    recorded: RecordedStep,
    dropInputs: () => void,
  ) {
    this.#backend = backend;
    this.#step = step;
    this.#inputs = inputs;
    this.recorded = recorded;
    this.#dropInputs = dropInputs;
  }

  replay(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
    const backend = this.#backend;
    const { recording, outputs, homes } = this.recorded;
    backend.failure.check();
    for (const home of homes) home.prepare();
    for (const name of this.#inputs.keys()) backend.settle((inputs[name] as tf.Tensor).dataId);
    backend.flush();
    const encoder = backend.device.createCommandEncoder();
    for (const [name, input] of this.#inputs) {
      input.detach(encoder, 0);
      this.#fill(input, inputs[name] as tf.Tensor, encoder);
    }
    for (const output of outputs.values()) output.detach(encoder, 0);
    for (const home of homes) home.sync(encoder);
    const timer = replayTimers.get(backend)?.timerOf(recording);
    recording.commands.play(encoder, timer);
    timer?.end(encoder);
    backend.queue.submit([encoder.finish()]);
    backend.failure.check();
    return Object.fromEntries([...outputs].map(([name, data]) => [name, data.tensor()]));
  }

  check(): void {
    const { description } = this.recorded;
    const again = recordStep(this.#backend, this.#step, this.#inputs, true);
    again.dispose();
    const difference = firstDifference(description, again.description);
    if (difference === null) return;
    throw new Error(
      'engine-webgpu: the step has changed since it was recorded, because it depends on a JavaScript number, which a recording freezes. ' +
        `Pass the number as a tensor, or compile the step again. The two differ ${difference}`,
    );
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const backend = this.#backend;
    if (backend.failure.failed) return; // all is gone with the device
    const encoder = backend.device.createCommandEncoder();
    for (const output of this.recorded.outputs.values()) output.detach(encoder, 0);
    for (const input of this.#inputs.values()) input.detach(encoder, 0);
    backend.queue.submit([encoder.finish()]);
    this.recorded.dispose();
    this.#dropInputs();
  }

  #fill(input: FixedData, tensor: tf.Tensor, encoder: GPUCommandEncoder): void {
    const backend = this.#backend;
    const { values, resource } = backend.tensorMap.get(tensor.dataId);
    if (resource) encoder.copyBufferToBuffer(resource, 0, input.buffer, 0, input.buffer.size);
    else if (values)
      backend.queue.writeBuffer(input.buffer, 0, words(values as tf.backend_util.TypedArray, tensor.dtype));
  }
}

/** Elements as a buffer holds them: four bytes each. */
function words(
  values: tf.backend_util.TypedArray,
  dtype: tf.DataType,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  if (dtype === 'float32')
    return (values instanceof Float32Array ? values : new Float32Array(values)) as Float32Array<ArrayBuffer>;
  return (values instanceof Int32Array ? values : new Int32Array(values)) as Int32Array<ArrayBuffer>;
}
