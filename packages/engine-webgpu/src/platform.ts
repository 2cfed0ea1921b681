// What differs between Node and browsers, found at run time so that nothing is imported that a browser lacks.

type Builtins = {
  'node:fs': typeof import('node:fs');
  'node:path': typeof import('node:path');
};

/** A module of Node, or undefined elsewhere. */
export function nodeModule<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}

/** Value of an environment variable, where there are any. */
export function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name];
}
