import { nodeModule } from '@tfjs-ssl/files';

/** Device files by which Linux shows a GPU: the kernel's own drivers, NVIDIA's, and that of Windows' Linux subsystem. */
const shows = [/^dri\/renderD\d+$/, /^nvidia\d+$/, /^dxg$/];

/** Whether a GPU is among the device files, given relative to `/dev`. */
export function namesGpu(files: readonly string[]): boolean {
  return files.some((file) => shows.some((pattern) => pattern.test(file)));
}

/**
 * Whether Linux shows a GPU; true on other systems, which are not asked.
 *
 * A look at `/dev` takes no time, and spares a machine without a GPU the start of Dawn and what Vulkan's drivers print there.
 */
export function mayHaveGpu(): boolean {
  const files = nodeModule('node:fs');
  if (!files || process.platform !== 'linux') return true;
  const list = (folder: string) => (files.existsSync(folder) ? files.readdirSync(folder) : []);
  return namesGpu([...list('/dev'), ...list('/dev/dri').map((name) => `dri/${name}`)]);
}
