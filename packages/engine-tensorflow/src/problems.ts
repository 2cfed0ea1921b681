import { type Addon, packageNames, TFJS_NODE_VERSION } from './find-addon.ts';
import { driverDevices } from './gpu-driver.ts';

const howToLink =
  'Run `npm run link-tensorflow -- --tensorflow DIR` (elsewhere: `npx link-tensorflow --tensorflow DIR`)';
const guide = 'docs/tensorflow-cuda.md has all steps';

/** What is wrong with what is installed, and the next command; null where nothing is, as far as files show. */
export function installationProblem(addon: Addon | null): string | null {
  if (addon === null) {
    return `neither ${packageNames.join(' nor ')} is installed. ${howToLink}, DIR being an installed TensorFlow; ${guide}.`;
  }
  if (addon.version !== TFJS_NODE_VERSION) {
    return `${addon.packageName} ${addon.version} is installed, and this engine knows ${TFJS_NODE_VERSION}. Run \`npm install --ignore-scripts ${addon.packageName}@${TFJS_NODE_VERSION}\`.`;
  }
  if (!addon.built) {
    return (
      `${addon.packageName} is installed without its native addon (${addon.path} is missing). ${howToLink} to build it against a ` +
      `TensorFlow of this machine, or \`npm rebuild ${addon.packageName}\` to download the official one.`
    );
  }
  return null;
}

/**
 * Says in words why the addon cannot be loaded, with the next command.
 *
 * @param message - the dynamic linker's message, as Node passes it on.
 * @param addon - what was to be loaded.
 */
export function loadProblem(message: string, addon: Addon): string {
  const again = addon.link
    ? `${howToLink}, DIR being a TensorFlow that is there`
    : `${howToLink} to use a TensorFlow of this machine, or \`npm rebuild ${addon.packageName}\` to download the official one again`;
  const library = /([^\s:]+\.so[^\s:]*): cannot open shared object file/.exec(message)?.[1];
  if (library && /cudart|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl|nvrtc|libcuda\b/.test(library)) {
    return `TensorFlow needs CUDA's ${library}, which is not found. Install the CUDA version that this TensorFlow was made for (\`pip install 'tensorflow[and-cuda]'\` brings it) and link again, or add its folder to LD_LIBRARY_PATH; ${guide}.`;
  }
  if (library) {
    const from = addon.link ? ` It was linked to TensorFlow ${addon.link.version} in ${addon.link.tensorflow}.` : '';
    return `the addon needs ${library}, which is not found.${from} ${again}.`;
  }
  const symbol = /undefined symbol: (\S+)/.exec(message)?.[1];
  if (symbol) {
    return `the addon needs the function ${symbol}, which the TensorFlow it finds does not have: it is older or newer than the one the addon was built for. ${again}.`;
  }
  const glibc = /version `((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found/.exec(message)?.[1];
  if (glibc) {
    return `TensorFlow needs ${glibc}, which this system's C or C++ library does not have. Use a TensorFlow made for this system (an older one), or a newer system.`;
  }
  if (/invalid ELF header|wrong ELF class|mach-o|not a valid Win32/i.test(message)) {
    return `the addon ${addon.path} is made for another kind of machine. ${again}.`;
  }
  return `the addon ${addon.path} cannot be loaded: ${message}. ${again}.`;
}

/** Why TensorFlow computes on the processor where a GPU was demanded, as far as can be told, and what to do. */
export function noGpuProblem(version: string, addon: Addon): string {
  const official =
    addon.link === null
      ? ` ${addon.packageName} brings TensorFlow ${version}, which for GPUs is made for CUDA 11.2 with cuDNN 8.1: on newer CUDA or GPUs, link a current TensorFlow.`
      : '';
  return (
    `a GPU was demanded, and TensorFlow ${version} found none.${official} Check in this order: \`nvidia-smi\` lists the GPU; the TensorFlow ` +
    "is one for GPUs (`pip install 'tensorflow[and-cuda]'`, not `tensorflow-cpu`); its CUDA libraries are found " +
    `(\`TF_CPP_MIN_LOG_LEVEL=0 TF_CPP_MAX_VLOG_LEVEL=3\` names what is missing); ${guide}.`
  );
}

/** Why there is no GPU where one was demanded and no driver is there, and what to do. */
export function noDriverProblem(): string {
  return (
    `a GPU was demanded, and this system has no driver for one: none of ${driverDevices.join(', ')} is there. Install NVIDIA's driver and see that ` +
    `\`nvidia-smi\` lists the GPU (a container must be started with it, as by \`docker run --gpus all\`); ${guide}.`
  );
}
