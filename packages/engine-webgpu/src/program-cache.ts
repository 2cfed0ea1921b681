/** A compute program: its WGSL and what it binds. */
export interface ProgramSource {
  /** Names the program: holds every number that its code has baked in. */
  readonly key: string;
  /** Whole WGSL module with the entry point `main`. */
  readonly code: () => string;
  /** Binding types in the order of their numbers, all in group 0. */
  readonly bindings: readonly GPUBufferBindingType[];
}

/** A compiled program with the layout of its bindings. */
export interface Program {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Compiled programs by their keys; a program is compiled when it is first used, and kept. */
export class ProgramCache {
  readonly #device: GPUDevice;
  readonly #programs = new Map<string, Program>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(source: ProgramSource): Program {
    const { key, code, bindings } = source;
    const id = `${key}|${bindings.join()}`;
    let program = this.#programs.get(id);
    if (!program) {
      const layout = this.#layout(bindings);
      program = {
        layout,
        pipeline: this.#device.createComputePipeline({
          label: key,
          layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module: this.#device.createShaderModule({ label: key, code: code() }), entryPoint: 'main' },
        }),
      };
      this.#programs.set(id, program);
    }
    return program;
  }

  #layout(bindings: readonly GPUBufferBindingType[]): GPUBindGroupLayout {
    const id = bindings.join();
    let layout = this.#layouts.get(id);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        entries: bindings.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
      });
      this.#layouts.set(id, layout);
    }
    return layout;
  }
}
