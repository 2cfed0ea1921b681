import { existsSync } from 'node:fs';

/** What the kernel makes for NVIDIA's driver, for a GPU lent by Windows, and for AMD's driver. */
export const driverDevices = ['/dev/nvidiactl', '/dev/dxg', '/dev/kfd'] as const;

/** A machine, and how to look for a file on it. */
export interface System {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly exists: (path: string) => boolean;
}

const here: System = { platform: process.platform, arch: process.arch, exists: existsSync };

/**
 * Says, as far as files show, whether TensorFlow could find a GPU, so that it need not be loaded (some 250 MB) to know that it cannot.
 *
 * @param system - where; default: this machine.
 * @returns false only where there can be none; elsewhere only TensorFlow itself can tell.
 */
export function mayHaveGpu({ platform, arch, exists }: System = here): boolean {
  if (platform !== 'linux' || arch !== 'x64') return true; // drivers there use other files, or none
  return driverDevices.some((path) => exists(path));
}
