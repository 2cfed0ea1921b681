type Builtins = {
  'node:crypto': typeof import('node:crypto');
  'node:fs': typeof import('node:fs');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:v8': typeof import('node:v8');
  'node:worker_threads': typeof import('node:worker_threads');
};

/**
 * A module of Node, or undefined elsewhere.
 *
 * It is found at run time: bundlers for browsers follow every import that they can read, and have no such module.
 *
 * @param name - for example `'node:path'`.
 * @example
 * ```ts
 * import { nodeModule } from '@tfjs-ssl/files';
 *
 * const processors = nodeModule('node:os')?.availableParallelism() ?? navigator.hardwareConcurrency;
 * ```
 */
export function nodeModule<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}

/**
 * A module of Node for code that cannot do without: elsewhere a stand-in, each of whose functions throws when it is called.
 *
 * @param name - for example `'node:path'`.
 * @param need - the message of that error: who needs the module, for what, and what to do without.
 * @example
 * ```ts
 * import { neededNodeModule } from '@tfjs-ssl/files';
 *
 * const { readFile } = neededNodeModule('node:fs/promises', 'readWeights: a path needs Node. Pass bytes instead.');
 * ```
 */
export function neededNodeModule<Name extends keyof Builtins>(name: Name, need: string): Builtins[Name] {
  const refuse = (): never => {
    throw new Error(need);
  };
  return nodeModule(name) ?? (new Proxy({}, { get: () => refuse }) as Builtins[Name]);
}

/** Value of an environment variable; undefined outside Node. */
export function environment(name: string): string | undefined {
  return globalThis.process?.env?.[name];
}
