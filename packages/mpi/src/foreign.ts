import type { LibraryHandle } from 'koffi';

/** Arguments of C functions: an `int`, a number as wide as a pointer (a handle, an address), and the memory of a typed array. */
export type ArgumentKind = 'int' | 'address' | 'memory';

/** A C function that returns an `int`. */
export interface ForeignFunction {
  (...values: readonly unknown[]): number;
  /** Calls it on another thread. The caller keeps the memory alive and leaves it alone until then. */
  async(...values: readonly unknown[]): Promise<number>;
}

/** A shared library. */
export interface ForeignLibrary {
  /** A function by its name; undefined if the library has none of this name. */
  find(name: string, kinds: readonly ArgumentKind[]): ForeignFunction | undefined;
  /** Address of a variable; undefined if the library has none of this name. */
  address(name: string): bigint | undefined;
}

type Koffi = Pick<typeof import('koffi'), 'address' | 'load'>;

const ctypes: Readonly<Record<ArgumentKind, string>> = { int: 'int', address: 'intptr_t', memory: 'void *' };

/** All that the package knows of a foreign function interface. */
export class ForeignFunctions {
  readonly #koffi: Koffi;

  private constructor(koffi: Koffi) {
    this.#koffi = koffi;
  }

  /** @returns null if the package koffi is not installed. */
  static async open(): Promise<ForeignFunctions | null> {
    try {
      const { default: koffi } = await import('koffi');
      return new ForeignFunctions(koffi);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
      throw error;
    }
  }

  /**
   * Loads a library for the rest of the process; its symbols are visible to what it loads itself.
   *
   * @param path - a file, or a name that the system looks up; null for what the process has loaded already.
   * @throws Error with the system's reason.
   */
  load(path: string | null): ForeignLibrary {
    const library = this.#koffi.load(path, { global: true });
    return {
      find: (name, kinds) => {
        const types = kinds.map((kind) => ctypes[kind]);
        return found(() => foreignFunction(library, name, types));
      },
      address: (name) => found(() => this.#koffi.address(library.symbol(name))),
    };
  }
}

function foreignFunction(library: LibraryHandle, name: string, types: string[]): ForeignFunction {
  const call = library.func(name, 'int', types);
  return Object.assign((...values: readonly unknown[]): number => call(...values), {
    async: (...values: readonly unknown[]) =>
      new Promise<number>((resolve, reject) => {
        call.async(...values, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)));
      }),
  });
}

/** koffi throws for a name that the library does not have. */
function found<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
