import { createRequire } from 'node:module';

/** What runs a bench: Node.js, the system and, where it takes part, the package that brings Dawn. */
export function runtimeName(engine: string): string {
  const name = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  if (engine !== 'webgpu') return name;
  const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  return `${name}, Dawn of webgpu ${version}`;
}
