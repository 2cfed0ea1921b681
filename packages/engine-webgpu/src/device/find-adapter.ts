import { nodeModule } from '@tfjs-ssl/files';
import { openDawn } from './dawn.ts';
import { mayHaveGpu } from './gpu-files.ts';
import { softwareDriverFiles, withVulkanDriver } from './software-drivers.ts';

/** A GPU that was found, with the entry that it came from. */
export interface FoundAdapter {
  readonly gpu: GPU;
  readonly adapter: GPUAdapter;
  /** Whether it computes on the processor: right, and far too slow to train with. */
  readonly software: boolean;
}

/** Result of looking for a GPU: the adapter, or why there is none and what to do. */
export type AdapterSearch = FoundAdapter | { readonly reason: string };

/** Choices for {@link findAdapter}. */
export interface AdapterChoices {
  /** Whether an adapter that computes on the processor will do. */
  readonly software: boolean;
  /** Further options of Dawn, in Node. */
  readonly dawnOptions: readonly string[];
  /** Whether programs are compiled without checks of their indices, in Node. */
  readonly unchecked: boolean;
}

const askForSoftware =
  'Set TFJS_SSL_SOFTWARE_GPU=1 or pass `softwareAdapter: true` to run on it all the same, for tests; it is far too slow to train with.';

/**
 * Looks for a GPU through the browser's WebGPU or, in Node, through Dawn.
 *
 * Where software adapters will do and the system's own drivers give none, those of Chromium and Mesa are tried, wherever they lie.
 */
export async function findAdapter(choices: AdapterChoices): Promise<AdapterSearch> {
  if (!nodeModule('node:fs')) {
    const gpu = globalThis.navigator?.gpu;
    if (!gpu) {
      return {
        reason:
          'this browser has no WebGPU, or the page is not secure. Use a current Chrome, Edge, Firefox or Safari, and https or localhost.',
      };
    }
    return search(gpu, choices.software, 'the browser found no GPU. Check chrome://gpu or its like.');
  }

  if (!choices.software && !choices.dawnOptions?.length && !mayHaveGpu()) {
    return {
      reason: 'Linux shows no GPU on this machine (/dev/dri/renderD*, /dev/nvidia*). Install the driver of your GPU.',
    };
  }
  const gpu = await openDawn(choices.dawnOptions, choices.unchecked);
  if (!gpu) return { reason: 'the package webgpu is not installed. Run `npm install webgpu`.' };
  const found = await search(gpu, choices.software, noDriver());
  if ('gpu' in found || !choices.software) return found;

  for (const file of softwareDriverFiles()) {
    const other = await withVulkanDriver(file, async () => {
      const dawn = await openDawn(choices.dawnOptions, choices.unchecked);
      return dawn ? search(dawn, true, '') : found;
    });
    if ('gpu' in other) return other;
  }
  return {
    reason: `${found.reason} There is no software driver either: install the package chromium (SwiftShader) or mesa-vulkan-drivers (lavapipe, Mesa 25 or newer).`,
  };
}

async function search(gpu: GPU, softwareToo: boolean, nothing: string): Promise<AdapterSearch> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return { reason: nothing };
  const software = isSoftware(adapter.info);
  if (software && !softwareToo) {
    return {
      reason: `the only adapter is ${adapter.info.description || adapter.info.device || 'one'} that is software on the processor. ${askForSoftware}`,
    };
  }
  return { gpu, adapter, software };
}

/** Whether an adapter computes on the processor. */
function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.device} ${info.description}`)
  );
}

function noDriver(): string {
  return process.platform === 'linux'
    ? 'no Vulkan driver on this machine gives a GPU. Install the driver of your GPU and the package libvulkan1; `vulkaninfo --summary` must list it.'
    : 'no driver on this machine gives a GPU. Install the driver of your GPU.';
}
