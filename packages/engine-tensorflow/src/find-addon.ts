import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The only version of tfjs-node that this engine stands on: the last one, whose insides it knows. */
export const TFJS_NODE_VERSION = '4.22.0';

/** Packages that bring the addon, the one for GPUs first. Both hold the same sources. */
export const packageNames = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** How TensorFlow was linked to tfjs-node, as `link-tensorflow` writes it beside the addon. */
export interface LinkRecord {
  /** Folder of the TensorFlow that the addon was built against. */
  readonly tensorflow: string;
  /** Its version. */
  readonly version: string;
  /** Whether linking installed the package, so that undoing has to remove it. */
  readonly installed: boolean;
}

/** An installed package with its addon. */
export interface Addon {
  readonly packageName: string;
  /** Folder of the package. */
  readonly folder: string;
  readonly version: string;
  /** Where the addon has to be. */
  readonly path: string;
  readonly built: boolean;
  /** Null where the addon was not built by `link-tensorflow`. */
  readonly link: LinkRecord | null;
}

/** Where the addon lies in the package: node-pre-gyp's name for Node-API 8, which Node 20 and newer have. */
export const addonPath = (folder: string): string => join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');

/** Where the record of a link lies in the package. */
export const recordPath = (folder: string): string => join(folder, 'lib', 'link-tensorflow.json');

/** Folders from which packages are looked for: this package's and the program's. */
const defaultPlaces = (): string[] => [dirname(fileURLToPath(import.meta.url)), process.cwd()];

/** The folder of an installed package as seen from a place, links resolved; null where there is none. */
export function packageFolder(name: string, place: string): string | null {
  // Node's own search remembers what it found: it would still see a package that was removed meanwhile.
  for (let folder = place; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === dirname(folder)) return null;
  }
}

function describe(packageName: string, folder: string): Addon {
  const path = addonPath(folder);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const record = recordPath(folder);
  return {
    packageName,
    folder,
    version,
    path,
    built: existsSync(path),
    link: existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as LinkRecord) : null,
  };
}

/**
 * Finds the tfjs-node that is installed, without loading it.
 *
 * @param places - folders to look from, the first ones first.
 * @returns the package whose addon is built, or else one that is there without; null where none is installed.
 */
export function findAddon(places: readonly string[] = defaultPlaces()): Addon | null {
  const found: Addon[] = [];
  for (const name of packageNames) {
    for (const place of places) {
      const folder = packageFolder(name, place);
      if (folder) found.push(describe(name, folder));
    }
  }
  return found.find(({ built }) => built) ?? found[0] ?? null;
}
