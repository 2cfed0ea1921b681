import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Addon, findAddon } from './find-addon.ts';
import type { Binding } from './node-backend.ts';
import { installationProblem, loadProblem } from './problems.ts';

/** The addon in this process, or why it cannot be had. */
export type LoadedAddon =
  | { readonly addon: Addon; readonly binding: Binding; readonly require: NodeJS.Require }
  | { readonly problem: string };

/** Sets what TensorFlow reads from the environment when it is loaded; what the user has set stays. */
export function prepareEnvironment(environment: NodeJS.ProcessEnv = process.env): void {
  environment.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'; // else it takes all GPU memory at once
  environment.TF_CPP_MIN_LOG_LEVEL ??= '1'; // warnings and errors, without its greetings
}

/** Puts back two functions that tfjs-node calls and that Node 23 removed. */
export function restoreUtil(module: object = createRequire(import.meta.url)('node:util')): void {
  const functions = module as Partial<Record<'isNullOrUndefined' | 'isArray', (value: unknown) => boolean>>;
  functions.isNullOrUndefined ??= (value) => value === null || value === undefined;
  functions.isArray ??= Array.isArray;
}

let loaded: LoadedAddon | null = null;

/**
 * Loads tfjs-node's addon, and TensorFlow with it. Once it is loaded, it stays so for the life of the process.
 *
 * @param addon - what to load; default: what is installed.
 */
export function loadAddon(addon: Addon | null = findAddon()): LoadedAddon {
  if (loaded && 'binding' in loaded) return loaded;
  const problem = installationProblem(addon);
  if (problem !== null || addon === null) return { problem: problem ?? '' };
  prepareEnvironment();
  restoreUtil();
  const require = createRequire(pathToFileURL(join(addon.folder, 'package.json')));
  try {
    loaded = { addon, binding: require(addon.path) as Binding, require };
  } catch (error) {
    loaded = { problem: loadProblem((error as Error).message, addon) };
  }
  return loaded;
}
