// What differs between Node and browsers, found at run time so that nothing is imported that a browser lacks.

import { nodeModule } from '@tfjs-ssl/files';

/** Whether the calling thread may sleep until others are done: all may, but a page's own. */
export function mayWait(): boolean {
  return nodeModule('node:worker_threads') !== undefined || typeof document === 'undefined';
}

/** Name of the processor, where the platform tells it. */
export function processorName(): string {
  return nodeModule('node:os')?.cpus()[0]?.model.trim() || 'processor';
}

/** Major version of V8; 0 where it is unknown. */
export function v8Version(): number {
  return Number(globalThis.process?.versions?.v8?.split('.')[0] ?? 0);
}

/** Sets a flag of V8 for code that is compiled from now on; does nothing where that is not possible. */
export function setV8Flag(flag: string): void {
  nodeModule('node:v8')?.setFlagsFromString(flag);
}

/**
 * Bytes of a file of this package.
 *
 * @throws Error if the file is not beside the code, as in a bundle for Node: bundlers copy code alone.
 */
export async function readPackageFile(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const files = nodeModule('node:fs/promises');
  if (files && url.protocol === 'file:') {
    try {
      return new Uint8Array(await files.readFile(url));
    } catch (error) {
      throw new Error(
        `engine-simd: cannot read ${url.pathname}, a file of this package (${(error as Error).message}). ` +
          'If the program is bundled for Node, keep the packages out of the bundle (esbuild: --packages=external). Otherwise install @tfjs-ssl/engine-simd again.',
        { cause: error },
      );
    }
  }
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(
      `engine-simd: ${url} cannot be read: ${response.status} ${response.statusText}. Serve the files of the engine beside the page.`,
    );
  return new Uint8Array(await response.arrayBuffer());
}
