import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addonPath } from '../find-addon.ts';
import { checkSymbols } from './symbols.ts';
import { LinkError, type Run, tail } from './system.ts';
import type { TensorFlowFolder } from './tensorflow-folder.ts';

/** The header of TensorFlow's strings where tfjs-node includes it from, and where some versions have it instead. */
const stringHeader = 'tensorflow/core/platform/ctstring_internal.h';
const stringHeaders = ['tsl', 'tensorflow/tsl', 'xla/tsl', 'external/local_tsl/tsl'].map(
  (folder) => `${folder}/platform/ctstring_internal.h`,
);

/** Arguments of the one call of the compiler that makes the addon. */
function compilerArguments(
  packageFolder: string,
  tensorflow: TensorFlowFolder,
  includes: readonly string[],
  output: string,
): string[] {
  return [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8'],
    ...[...includes, tensorflow.includeFolder, packageFolder].map((folder) => `-I${folder}`),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(packageFolder, 'binding', name)),
    ...['-o', output],
    `-L${tensorflow.librariesFolder}`,
    ...tensorflow.libraries.map((name) => `-l:${name}`),
    // TensorFlow finds CUDA relative to its own real folder; a path of that kind also serves the libraries that it loads.
    ...[`-Wl,-rpath,${tensorflow.librariesFolder}`, '-Wl,--disable-new-dtags'],
    // A TensorFlow that has changed since is then noticed when the addon is loaded, not in the middle of a training.
    '-Wl,-z,now',
  ];
}

/** A folder with the strings' header under its old name; null where TensorFlow has it there itself. */
function stringHeaderFolder(tensorflow: TensorFlowFolder, scratch: string): string | null {
  if (existsSync(join(tensorflow.includeFolder, stringHeader))) return null;
  const moved = stringHeaders.find((name) => existsSync(join(tensorflow.includeFolder, name)));
  if (!moved) {
    throw new LinkError(
      `the TensorFlow in ${tensorflow.folder} must have the header ctstring_internal.h, got none at its known places. Use TensorFlow 2.20 or 2.21, which are tested.`,
    );
  }
  const path = join(scratch, stringHeader);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#include "${moved}"\n`);
  return scratch;
}

/**
 * Builds tfjs-node's addon against a TensorFlow and puts it in its place.
 *
 * @param run - runs commands.
 * @param options - compiler, folders of the package, of TensorFlow and of Node's headers.
 * @returns how many functions of TensorFlow it needs, all of which are there; null where there is no `nm` to tell.
 * @throws LinkError where it does not compile or functions are missing; what was there before is left as it was.
 */
export function buildAddon(
  run: Run,
  options: {
    readonly compiler: string;
    readonly packageFolder: string;
    readonly tensorflow: TensorFlowFolder;
    readonly nodeHeaders: string;
  },
): number | null {
  const { compiler, packageFolder, tensorflow, nodeHeaders } = options;
  const scratch = mkdtempSync(join(tmpdir(), 'link-tensorflow-'));
  const path = addonPath(packageFolder);
  const fresh = `${path}.new`;
  try {
    const shim = stringHeaderFolder(tensorflow, scratch);
    mkdirSync(dirname(path), { recursive: true });
    const includes = shim ? [nodeHeaders, shim] : [nodeHeaders];
    const built = run(compiler, compilerArguments(packageFolder, tensorflow, includes, fresh));
    if (built.status !== 0) {
      throw new LinkError(
        `${compiler} could not build the addon against ${tensorflow.folder}:\n${tail(built.stderr)}\nUse TensorFlow 2.20 or 2.21, which are tested, and a compiler with C++17.`,
      );
    }
    const libraries = tensorflow.libraries.map((name) => join(tensorflow.librariesFolder, name));
    const symbols = checkSymbols(run, fresh, libraries);
    if (symbols && symbols.missing.length > 0) {
      throw new LinkError(
        `the TensorFlow in ${tensorflow.folder} must have the ${symbols.needed} functions that tfjs-node needs, got all but ${symbols.missing.length}: ${symbols.missing.join(', ')}. Use TensorFlow 2.20 or 2.21, which are tested.`,
      );
    }
    renameSync(fresh, path);
    return symbols?.needed ?? null;
  } finally {
    rmSync(fresh, { force: true });
    rmSync(scratch, { recursive: true, force: true });
  }
}
