type Builtins = {
  'node:crypto': typeof import('node:crypto');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:path': typeof import('node:path');
};

/**
 * A module of Node, found at run time so that a page, its bundler or a development server can take this package; elsewhere a stand-in,
 * whose functions throw.
 */
export function nodeModule<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const module = globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
  return module ?? (new Proxy({}, { get: () => () => refuse(name) }) as Builtins[Name]);
}

function refuse(name: string): never {
  throw new Error(
    `trainer: run folders, checkpoints and logs need Node's ${name}, which is not here. Leave \`run\` out and keep the state of \`trainer.snapshot()\`.`,
  );
}
