import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildAddon } from './build.ts';
import type { LinkOptions } from './options.ts';
import { ensurePackage, keepAddon, restoreAddon, undoLink, writeRecord } from './package.ts';
import type { SmokeResult } from './smoke.ts';
import { LinkError, type Run, tail } from './system.ts';
import { findTensorFlow, inspectTensorFlow, type TensorFlowFolder } from './tensorflow-folder.ts';
import { findCompiler, findNodeHeaders } from './toolchain.ts';

/** The oldest TensorFlow that tfjs-node 4.22 is made for. */
const OLDEST = [2, 9] as const;

/** What linking stands on. */
export interface LinkContext {
  readonly run: Run;
  /** Folder of the project whose node_modules gets tfjs-node. */
  readonly project: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly print: (line: string) => void;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

/** Loads the addon in a process of its own, which may crash, and computes with it. */
function smokeTest({ run, project }: LinkContext): SmokeResult {
  const script = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './smoke.ts' : './smoke.js', import.meta.url));
  const { status, stdout, stderr } = run(process.execPath, [script], { cwd: project });
  if (status !== 0) throw new LinkError(`the addon was built but cannot compute:\n${tail(stderr)}`);
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SmokeResult;
  if (isTooOld(result.version)) {
    throw new LinkError(
      `TensorFlow must be version ${OLDEST.join('.')} or newer for tfjs-node, got ${result.version}. Run \`pip install --upgrade tensorflow\` and link again.`,
    );
  }
  if (!(result.error < 1e-3)) {
    throw new LinkError(
      `the addon must compute a convolution's gradient with an error below 0.001, got ${result.error}. Use TensorFlow 2.20 or 2.21, which are tested.`,
    );
  }
  return result;
}

function link(context: LinkContext, given: string | null): void {
  const { run, project, environment, platform, print } = context;
  if (platform !== 'linux') {
    throw new LinkError(
      `linking works only on Linux, got ${platform}. Install tfjs-node with its own download: \`npm install @tensorflow/tfjs-node@4.22.0\`.`,
    );
  }
  const tensorflow: TensorFlowFolder = inspectTensorFlow(given ?? findTensorFlow(run, environment.PYTHON ?? 'python3'));
  print(`TensorFlow ${tensorflow.version ?? '(version unknown)'} in ${tensorflow.folder}`);
  const compiler = findCompiler(run, environment.CXX);
  const nodeHeaders = findNodeHeaders(project);
  const { name, folder, installed } = ensurePackage(run, project);
  print(`${name} ${installed ? 'installed beside the lock file' : 'is there'}, ${compiler} compiles its addon`);
  keepAddon(folder);
  try {
    const needed = buildAddon(run, { compiler, packageFolder: folder, tensorflow, nodeHeaders });
    if (needed !== null) print(`all ${needed} functions that the addon needs of TensorFlow are there`);
    writeRecord(folder, { tensorflow: tensorflow.folder, version: tensorflow.version ?? 'unknown', installed });
    const { version, device, gpu } = smokeTest(context);
    print(`smoke test passed: TensorFlow ${version} on ${device}`);
    if (!gpu && existsSync('/dev/nvidiactl')) {
      print(
        "This machine has an NVIDIA GPU, and TensorFlow does not use it: install 'tensorflow[and-cuda]' and link again; docs/tensorflow-cuda.md.",
      );
    }
  } catch (error) {
    restoreAddon(folder);
    throw error;
  }
}

/**
 * Does what the command line asks for.
 *
 * @throws LinkError where it cannot be done, with the cause and the next command.
 */
export function runLink(options: Exclude<LinkOptions, { action: 'help' }>, context: LinkContext): void {
  if (options.action === 'undo') context.print(undoLink(context.run, context.project));
  else link(context, options.tensorflow);
}
