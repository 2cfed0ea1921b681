import type { Binding, OpAttribute } from './node-backend.ts';

/** Makes the attributes of ops. */
export class Attributes {
  readonly #binding: Binding;

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  /** The element type float32 under the given names. */
  float32(...names: string[]): OpAttribute[] {
    return names.map((name) => ({ name, type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_FLOAT }));
  }

  /** The element type int32 under the given name: of shapes, axes and paddings. */
  int32(name: string): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_INT32 };
  }

  /** The element type bool under the given name. */
  bool(name: string): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value: this.#binding.TF_BOOL };
  }

  int(name: string, value: number | readonly number[]): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_INT, value };
  }

  float(name: string, value: number): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_FLOAT, value };
  }

  text(name: string, value: string): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value };
  }

  flag(name: string, value: boolean): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value };
  }

  shape(name: string, value: readonly number[]): OpAttribute {
    return { name, type: this.#binding.TF_ATTR_SHAPE, value };
  }
}
