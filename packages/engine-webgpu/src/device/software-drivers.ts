import { nodeModule } from '@tfjs-ssl/files';

/** Files with which known software drivers announce themselves to the Vulkan loader, best first. */
const knownFiles = [
  '/usr/lib/chromium/vk_swiftshader_icd.json', // Debian
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json', // Ubuntu, Alpine
  '/usr/lib64/chromium-browser/vk_swiftshader_icd.json', // Fedora
  '/opt/google/chrome/vk_swiftshader_icd.json',
  '/opt/microsoft/msedge/vk_swiftshader_icd.json',
];

/** Folders in which Mesa's driver for processors (lavapipe) is announced, as `lvp_icd*.json`. */
const mesaFolders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];

/**
 * Finds the Vulkan drivers on this machine that compute on the processor: SwiftShader, as it comes with Chromium and Chrome, and
 * Mesa's lavapipe.
 *
 * @returns the paths of their ICD files, in the order to try; empty outside Node.
 */
export function softwareDriverFiles(): string[] {
  const files = nodeModule('node:fs');
  if (!files) return [];
  const mesa = mesaFolders
    .filter((folder) => files.existsSync(folder))
    .flatMap((folder) =>
      files
        .readdirSync(folder)
        .filter((name) => /^lvp_icd.*\.json$/.test(name))
        .map((name) => `${folder}/${name}`),
    );
  return [...knownFiles.filter((file) => files.existsSync(file)), ...mesa];
}

/**
 * Runs a function while the Vulkan loader sees one driver only. Where the loader, `libvulkan.so.1`, lies beside the driver, as it does in
 * Chromium's folder, that one is used: the system may have none.
 */
export async function withVulkanDriver<T>(file: string, run: () => Promise<T>): Promise<T> {
  keepLoaded(file.replace(/[^/]*$/, 'libvulkan.so.1'));
  const variables = { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file };
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await run();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Loads a shared library if there is such a file, so that who asks for it by its name alone gets this one. */
function keepLoaded(file: string): void {
  if (process.platform !== 'linux' || !nodeModule('node:fs')?.existsSync(file)) return;
  const RTLD_NOW = 2;
  const RTLD_NODELETE = 0x1000; // Node closes what is no addon: the library stays
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_DLOPEN_FAILED') throw error;
  }
}
