import type * as tf from '@tensorflow/tfjs-core';

/** An attribute of an op, as tfjs-node's addon takes it. */
export interface OpAttribute {
  readonly name: string;
  /** One of the addon's `TF_ATTR_` numbers. */
  readonly type: number;
  readonly value: number | string | boolean | readonly number[];
}

/** A tensor of TensorFlow: its number in the addon, with shape and TensorFlow's number of its type. */
export interface Handle {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The part of tfjs-node's addon that this engine uses. It runs any op of TensorFlow by its name. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  isUsingGpuDevice(): boolean;
  executeOp(name: string, attributes: readonly OpAttribute[], inputs: readonly number[], outputs: number): Handle[];
  createTensor(shape: readonly number[], dtype: number, values: tf.TypedArray): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): tf.TypedArray;
  /** Tensors that are held, for leak checks. */
  getNumOfTensors(): number;
}

/** What tfjs-node keeps for the data of a tensor. */
export interface TensorData {
  readonly shape: number[];
  readonly dtype: number;
  /** The handle's number; -1 where there is none yet. */
  id: number;
  /** Values that are not uploaded yet. */
  values: tf.TypedArray | null;
  refCount: number;
  /** This engine's: the variable of TensorFlow that holds the value; `id` is then a reading of it, or -1 where it was not read. */
  resource?: number;
}

/** The backend that tfjs-node registers. */
export interface NodeBackend extends tf.KernelBackend {
  readonly binding: Binding;
  readonly tensorMap: {
    get(dataId: object): TensorData;
    set(dataId: object, data: TensorData): void;
    has(dataId: object): boolean;
    delete(dataId: object): boolean;
  };
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  disposeData(dataId: object, force?: boolean): boolean;
}
