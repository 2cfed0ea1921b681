import type * as tf from '@tensorflow/tfjs-core';
import { Attributes } from './attributes.ts';
import type { Handle, NodeBackend, TensorData } from './node-backend.ts';

/** Numbers kept on the device at most; further ones are uploaded each time. A training step has some dozens. */
const MOST_SCALARS = 1024;

/**
 * The tensors of a tfjs-node backend, with three things that tfjs-node does not have: constants and single numbers are uploaded once and
 * kept; a tensor's value may lie in a variable of TensorFlow, which ops update in place; and all of it can be freed.
 *
 * It takes the place of four methods of the backend, which stays the owner of everything else.
 */
export class TensorStore {
  readonly backend: NodeBackend;
  readonly attributes: Attributes;
  /** Whether TensorFlow computes on a GPU. */
  readonly gpu: boolean;
  readonly #constants = new Map<string, number>();
  readonly #scalars = new Map<number, number>();
  readonly #shared = new Set<number>();
  readonly #live = new Set<TensorData>();

  constructor(backend: NodeBackend) {
    this.backend = backend;
    this.attributes = new Attributes(backend.binding);
    this.gpu = backend.binding.isUsingGpuDevice();
    const { tensorMap } = backend;
    const [set, remove] = [tensorMap.set.bind(tensorMap), tensorMap.delete.bind(tensorMap)];
    tensorMap.set = (dataId, data) => {
      this.#live.add(data);
      set(dataId, data);
    };
    tensorMap.delete = (dataId) => {
      this.#live.delete(tensorMap.get(dataId));
      return remove(dataId);
    };
    backend.getInputTensorIds = (tensors) => tensors.map((tensor) => this.id(tensor));
    backend.readSync = (dataId) => {
      const data = tensorMap.get(dataId);
      return data.values ?? backend.binding.tensorDataSync(this.#idOf(data));
    };
    backend.disposeData = (dataId, force = false) => {
      if (!tensorMap.has(dataId)) return true;
      const data = tensorMap.get(dataId);
      data.refCount--;
      if (!force && data.refCount > 0) return false;
      this.#free(data);
      tensorMap.delete(dataId);
      return true;
    };
  }

  /** The number of a tensor's handle, which stays the tensor's. */
  id(tensor: tf.TensorInfo): number {
    // An Int64Scalar of tfjs-node, which its summary writers use, has no data of its own.
    if ('valueArray' in tensor) return this.#int64(tensor.valueArray as Int32Array);
    return this.#idOf(this.backend.tensorMap.get(tensor.dataId));
  }

  /** The handle of an int32 constant: a shape, axes, paddings. Uploaded once. */
  constant(values: readonly number[], shape: readonly number[] = [values.length]): number {
    const key = `${shape}:${values}`;
    let id = this.#constants.get(key);
    if (id === undefined) {
      id = this.backend.binding.createTensor(shape, this.backend.binding.TF_INT32, Int32Array.from(values));
      this.#constants.set(key, id);
    }
    return id;
  }

  /**
   * Runs a function with handles of float32 numbers.
   *
   * @param values - the numbers; those of every step are uploaded once, others (`changing`) each time.
   */
  withNumbers<T>(values: readonly number[], run: (...ids: number[]) => T, changing = false): T {
    const kept = values.map((value) => (changing ? undefined : this.#keptScalar(value)));
    const ids = kept.map((id, i) => id ?? this.#upload(values[i] as number));
    const result = run(...ids);
    ids.forEach((id, i) => {
      if (kept[i] === undefined) this.backend.binding.deleteTensor(id);
    });
    return result;
  }

  /** The handle of a float32 vector of equal numbers. Uploaded once. */
  vector(value: number, length: number): number {
    const { binding } = this.backend;
    const key = `${value}*${length}`;
    let id = this.#constants.get(key);
    if (id === undefined) {
      id = binding.createTensor([length], binding.TF_FLOAT, new Float32Array(length).fill(value));
      this.#constants.set(key, id);
    }
    return id;
  }

  /** Makes a tensor of a handle, which it then owns. */
  toTensor(handle: Handle): tf.TensorInfo {
    const dataId = {};
    const { id, shape, dtype } = handle;
    this.backend.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
    return { dataId, shape, dtype: 'float32' };
  }

  /** Gives a tensor another value of the same shape; it owns the handle then. */
  replace(tensor: tf.TensorInfo, handle: Handle): void {
    const data = this.backend.tensorMap.get(tensor.dataId);
    this.#free(data);
    data.id = handle.id;
    data.values = null;
  }

  /** Gives a tensor that lies in a variable of TensorFlow the value of a handle, which stays the caller's. */
  assign(tensor: tf.TensorInfo, value: number): void {
    const dtype = this.attributes.float32('dtype');
    this.backend.binding.executeOp('AssignVariableOp', dtype, [this.resource(tensor), value], 0);
  }

  /** Frees handles. */
  release(...handles: readonly Handle[]): void {
    for (const { id } of handles) this.backend.binding.deleteTensor(id);
  }

  /**
   * The variable of TensorFlow that holds a tensor's value from here on, for ops that update it in place.
   * The tensor's own handle is given back: as long as there is one, an update would copy first.
   */
  resource(tensor: tf.TensorInfo): number {
    const data = this.backend.tensorMap.get(tensor.dataId);
    const { binding } = this.backend;
    const dtype = this.attributes.float32('dtype');
    if (data.resource === undefined) {
      const value = this.#idOf(data);
      const options = [
        ...dtype,
        this.attributes.shape('shape', tensor.shape),
        this.attributes.text('shared_name', ANONYMOUS),
      ];
      const [resource] = binding.executeOp('VarHandleOp', options, [], 1) as [Handle];
      binding.executeOp('AssignVariableOp', dtype, [resource.id, value], 0);
      data.resource = resource.id;
    }
    if (data.id >= 0) this.#delete(data.id);
    data.id = -1;
    return data.resource;
  }

  /** Frees everything; the backend cannot be used any more. */
  dispose(): void {
    for (const data of this.#live) this.#free(data);
    this.#live.clear();
    for (const kept of [this.#scalars, this.#constants]) {
      for (const id of kept.values()) this.backend.binding.deleteTensor(id);
      kept.clear();
    }
  }

  #idOf(data: TensorData): number {
    const { binding } = this.backend;
    if (data.values !== null) {
      const single = data.shape.length === 0 && data.dtype === binding.TF_FLOAT;
      const kept = single ? this.#keptScalar(data.values[0] as number) : undefined;
      data.id = kept ?? binding.createTensor(data.shape, data.dtype, data.values);
      data.values = null;
    } else if (data.id < 0 && data.resource !== undefined) {
      const [value] = binding.executeOp('ReadVariableOp', this.attributes.float32('dtype'), [data.resource], 1) as [
        Handle,
      ];
      data.id = value.id;
    }
    return data.id;
  }

  #free(data: TensorData): void {
    if (data.id >= 0) this.#delete(data.id);
    if (data.resource !== undefined) this.backend.binding.deleteTensor(data.resource);
    data.id = -1;
    delete data.resource;
  }

  #delete(id: number): void {
    if (!this.#shared.has(id)) this.backend.binding.deleteTensor(id);
  }

  #keptScalar(value: number): number | undefined {
    if (Object.is(value, -0)) return undefined; // a map takes it for 0
    const known = this.#scalars.get(value);
    if (known !== undefined || this.#scalars.size >= MOST_SCALARS) return known;
    const id = this.#upload(value);
    this.#scalars.set(value, id);
    this.#shared.add(id);
    return id;
  }

  #upload(value: number): number {
    const { binding } = this.backend;
    return binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value));
  }

  #int64(value: Int32Array): number {
    const { binding } = this.backend;
    return binding.createTensor([], binding.TF_INT64, value);
  }
}

/** The name that makes a variable belong to its handle alone: it goes when the handle is deleted. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';
