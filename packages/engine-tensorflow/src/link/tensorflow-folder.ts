import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LinkError, type Run } from './system.ts';

/** TensorFlow as it lies on this machine. */
export interface TensorFlowFolder {
  /** The folder that was given, links resolved. */
  readonly folder: string;
  /** Folder of the libraries. TensorFlow looks for CUDA from there, so it must be the real one. */
  readonly librariesFolder: string;
  /** File names of the libraries in it. */
  readonly libraries: readonly string[];
  readonly includeFolder: string;
  /** From the Python package's metadata; null where there are none. */
  readonly version: string | null;
}

/** The oldest version whose Python package has the libraries that an addon can be linked to. */
const OLDEST_PACKAGE = '2.12';
const needed = ['tensorflow/c/c_api.h', 'tensorflow/c/eager/c_api.h'];

/**
 * Asks Python where its TensorFlow is, without importing it.
 *
 * @throws LinkError where there is no Python or it has no TensorFlow.
 */
export function findTensorFlow(run: Run, python: string): string {
  const program =
    "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.submodule_search_locations[0] if s else '')";
  const { found, status, stdout } = run(python, ['-c', program]);
  const folder = stdout.trim();
  if (found && status === 0 && folder) return folder;
  const cause = found ? `${python} has no TensorFlow` : `there is no ${python}`;
  throw new LinkError(
    `${cause}. Make one: \`python3 -m venv tf && tf/bin/pip install 'tensorflow[and-cuda]'\` (without a GPU: \`tensorflow-cpu\`), then pass its folder: \`--tensorflow tf/lib/python3.*/site-packages/tensorflow\`.`,
  );
}

function packageVersion(folder: string): string | null {
  const names = readdirSync(dirname(folder));
  for (const name of names) {
    const version = /^tensorflow(?:_cpu|_gpu|_intel|_rocm)?-(\d+\.\d+\.\d+[^-]*)\.dist-info$/.exec(name)?.[1];
    if (version) return version;
  }
  return null;
}

/**
 * Checks that a folder holds a TensorFlow to link to.
 *
 * @param given - the folder of the Python package, or of an unpacked libtensorflow.
 * @throws LinkError where it does not, saying what is missing.
 */
export function inspectTensorFlow(given: string): TensorFlowFolder {
  if (!existsSync(given) || !statSync(given).isDirectory()) {
    throw new LinkError(
      `--tensorflow must be the folder of a TensorFlow, got ${given}, which is no folder. Find it: \`python3 -c "import tensorflow, os; print(os.path.dirname(tensorflow.__file__))"\`.`,
    );
  }
  const folder = realpathSync(given);
  const layouts = [
    { librariesFolder: folder, libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] },
    { librariesFolder: join(folder, 'lib'), libraries: ['libtensorflow.so.2', 'libtensorflow_framework.so.2'] },
  ];
  const isPackage = existsSync(join(folder, '__init__.py'));
  const version = isPackage ? packageVersion(folder) : null;
  const layout = layouts.find(({ librariesFolder, libraries }) =>
    libraries.every((name) => existsSync(join(librariesFolder, name))),
  );
  if (!layout) {
    throw new LinkError(
      isPackage
        ? `the TensorFlow in ${folder} must be version ${OLDEST_PACKAGE} or newer, got ${version ?? 'one'} without libtensorflow_cc.so.2. Run \`pip install --upgrade tensorflow\` and link again.`
        : `${folder} must hold libtensorflow_cc.so.2 (a Python package) or lib/libtensorflow.so.2 (an unpacked libtensorflow), got neither. Pass the folder site-packages/tensorflow.`,
    );
  }
  const includeFolder = join(folder, 'include');
  const missing = needed.find((name) => !existsSync(join(includeFolder, name)));
  if (missing) {
    throw new LinkError(
      `the TensorFlow in ${folder} must have the header include/${missing}, got none. Install the complete package: \`pip install --force-reinstall tensorflow\`.`,
    );
  }
  return { folder, ...layout, includeFolder, version };
}
