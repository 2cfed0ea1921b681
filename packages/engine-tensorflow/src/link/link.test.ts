import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addonPath, recordPath } from '../find-addon.ts';
import { runLink } from './link.ts';
import { parseLinkOptions } from './options.ts';
import { tensorflowSymbols } from './symbols.ts';
import type { Ended, Run } from './system.ts';
import { findTensorFlow, inspectTensorFlow } from './tensorflow-folder.ts';
import { findCompiler, findNodeHeaders } from './toolchain.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'link-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, content = ''): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const ended = (status: number | null, stdout = '', stderr = ''): Ended => ({ status, stdout, stderr, found: true });
const absent: Ended = { status: null, stdout: '', stderr: '', found: false };

/** A TensorFlow's Python package, or what is left of it without some files. */
function fakeTensorFlow(...without: string[]): string {
  const folder = join(root, 'site-packages', 'tensorflow');
  const files = [
    '__init__.py',
    'libtensorflow_cc.so.2',
    'libtensorflow_framework.so.2',
    'include/tensorflow/c/c_api.h',
    'include/tensorflow/c/eager/c_api.h',
    'include/tensorflow/core/platform/ctstring_internal.h',
  ];
  for (const file of files) if (!without.includes(file)) put(join(folder, file));
  mkdirSync(join(root, 'site-packages', 'tensorflow_cpu-2.20.0.dist-info'));
  return folder;
}

/** A machine on which everything goes well, but for the commands that are given. */
function machine(own: Record<string, (args: readonly string[]) => Ended> = {}): { run: Run; commands: string[] } {
  const commands: string[] = [];
  const smoke = { version: '2.20.0', device: 'a processor', gpu: false, error: 0 };
  const usual: Record<string, (args: readonly string[]) => Ended> = {
    'g++': (args) => {
      if (args[0] !== '--version') put(args[args.indexOf('-o') + 1] as string, 'addon');
      return ended(0);
    },
    nm: (args) => ended(0, args.includes('--undefined-only') ? ' U TF_Version\n U napi_x' : '00 T TF_Version'),
    npm: (args) => {
      const folder = join(root, 'node_modules', '@tensorflow/tfjs-node');
      if (args[0] === 'install') {
        put(join(folder, 'package.json'), JSON.stringify({ version: '4.22.0' }));
      } else rmSync(folder, { recursive: true });
      return ended(0);
    },
    [process.execPath]: () => ended(0, JSON.stringify(smoke)),
  };
  const run: Run = (command, args) => {
    commands.push([command, ...args].join(' '));
    return (own[command] ?? usual[command])?.(args) ?? absent;
  };
  return { run, commands };
}

/** Links in the scratch project and gives what was printed. */
function link(run: Run, tensorflow: string | null, platform: NodeJS.Platform = 'linux'): string[] {
  put(join(root, 'node_modules', 'node-api-headers', 'package.json'), '{}');
  put(join(root, 'node_modules', 'node-api-headers', 'include', 'node_api.h'));
  const lines: string[] = [];
  const context = { run, project: root, environment: {}, platform, print: (line: string) => lines.push(line) };
  runLink({ action: 'link', tensorflow }, context);
  return lines.map((line) => line.replaceAll(root, 'ROOT'));
}

/** The message of what a function throws. */
function failure(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message.replaceAll(root, 'ROOT');
  }
  return expect.fail('it did not fail');
}

const addonFolder = () => join(root, 'node_modules', '@tensorflow/tfjs-node');

describe('linking', () => {
  it('installs, builds, checks and says so, and is undone', () => {
    const { run, commands } = machine();
    expect(link(run, fakeTensorFlow())).toMatchInlineSnapshot(`
      [
        "TensorFlow 2.20.0 in ROOT/site-packages/tensorflow",
        "@tensorflow/tfjs-node installed beside the lock file, g++ compiles its addon",
        "all 1 functions that the addon needs of TensorFlow are there",
        "smoke test passed: TensorFlow 2.20.0 on a processor",
      ]
    `);
    expect(readFileSync(addonPath(addonFolder()), 'utf8')).toBe('addon');
    expect(commands.find((command) => command.startsWith('npm'))).toMatchInlineSnapshot(
      `"npm install --no-save --ignore-scripts --no-audit --no-fund @tensorflow/tfjs-node@4.22.0"`,
    );
    const build = commands.find((command) => command.includes('-shared'));
    expect(build).toContain(`-Wl,-rpath,${join(root, 'site-packages', 'tensorflow')}`);

    const lines: string[] = [];
    const context = {
      run,
      project: root,
      environment: {},
      platform: 'linux' as const,
      print: (l: string) => lines.push(l),
    };
    runLink({ action: 'undo' }, context);
    runLink({ action: 'undo' }, context);
    expect(lines).toMatchInlineSnapshot(`
      [
        "@tensorflow/tfjs-node and what it brought are removed.",
        "Nothing is linked here.",
      ]
    `);
    expect(existsSync(addonFolder())).toBe(false);
  });

  it('gives an addon that was there before back', () => {
    put(join(addonFolder(), 'package.json'), JSON.stringify({ version: '4.22.0' }));
    put(addonPath(addonFolder()), 'the official one');
    const { run } = machine();
    const tensorflow = fakeTensorFlow();
    link(run, tensorflow);
    link(run, tensorflow); // a second time, on top
    expect(readFileSync(addonPath(addonFolder()), 'utf8')).toBe('addon');
    runLink({ action: 'undo' }, { run, project: root, environment: {}, platform: 'linux', print: () => {} });
    expect(readFileSync(addonPath(addonFolder()), 'utf8')).toBe('the official one');
    expect(existsSync(recordPath(addonFolder()))).toBe(false);
  });

  it('says which functions are missing and leaves nothing half done', () => {
    const { run } = machine({ nm: (args) => ended(0, args.includes('--undefined-only') ? ' U TFE_Execute' : '') });
    expect(failure(() => link(run, fakeTensorFlow()))).toMatchInlineSnapshot(
      `"the TensorFlow in ROOT/site-packages/tensorflow must have the 1 functions that tfjs-node needs, got all but 1: TFE_Execute. Use TensorFlow 2.20 or 2.21, which are tested."`,
    );
    expect(existsSync(addonPath(addonFolder()))).toBe(false);
  });

  it('shows what the compiler says', () => {
    const gcc = (args: readonly string[]) => ended(args[0] === '--version' ? 0 : 1, '', 'a.cc:1: error: no such thing');
    expect(failure(() => link(machine({ 'g++': gcc }).run, fakeTensorFlow()))).toMatchInlineSnapshot(`
      "g++ could not build the addon against ROOT/site-packages/tensorflow:
          a.cc:1: error: no such thing
      Use TensorFlow 2.20 or 2.21, which are tested, and a compiler with C++17."
    `);
  });

  it('tells a TensorFlow that is too old, whether by its files or when it runs', () => {
    const old = JSON.stringify({ version: '2.8.4', device: '', gpu: false, error: 0 });
    const { run } = machine({ [process.execPath]: () => ended(0, old) });
    expect(failure(() => link(run, fakeTensorFlow()))).toMatchInlineSnapshot(
      `"TensorFlow must be version 2.9 or newer for tfjs-node, got 2.8.4. Run \`pip install --upgrade tensorflow\` and link again."`,
    );
    rmSync(join(root, 'site-packages'), { recursive: true });
    expect(failure(() => inspectTensorFlow(fakeTensorFlow('libtensorflow_cc.so.2')))).toMatchInlineSnapshot(
      `"the TensorFlow in ROOT/site-packages/tensorflow must be version 2.12 or newer, got 2.20.0 without libtensorflow_cc.so.2. Run \`pip install --upgrade tensorflow\` and link again."`,
    );
  });

  it('tells an addon that crashes or computes wrongly', () => {
    const crash = machine({ [process.execPath]: () => ended(null, '', 'Segmentation fault') });
    expect(failure(() => link(crash.run, fakeTensorFlow()))).toMatchInlineSnapshot(`
      "the addon was built but cannot compute:
          Segmentation fault"
    `);
    const wrong = JSON.stringify({ version: '2.20.0', device: '', gpu: false, error: 3 });
    rmSync(join(root, 'site-packages'), { recursive: true });
    const wrongly = machine({ [process.execPath]: () => ended(0, wrong) });
    expect(failure(() => link(wrongly.run, fakeTensorFlow()))).toContain('an error below 0.001, got 3');
    expect(existsSync(recordPath(addonFolder()))).toBe(false);
  });

  it('says when npm fails', () => {
    const { run } = machine({ npm: () => ended(1, '', 'npm error network') });
    expect(failure(() => link(run, fakeTensorFlow()))).toMatchInlineSnapshot(`
      "npm could not install @tensorflow/tfjs-node@4.22.0:
          npm error network
      Check that npm reaches its registry: \`npm view @tensorflow/tfjs-node@4.22.0 version\`."
    `);
  });

  it('works on Linux alone', () => {
    expect(failure(() => link(machine().run, fakeTensorFlow(), 'darwin'))).toMatchInlineSnapshot(
      `"linking works only on Linux, got darwin. Install tfjs-node with its own download: \`npm install @tensorflow/tfjs-node@4.22.0\`."`,
    );
  });
});

describe('what linking needs', () => {
  it('a TensorFlow that Python finds', () => {
    expect(findTensorFlow(() => ended(0, '/venv/tensorflow\n'), 'python3')).toBe('/venv/tensorflow');
    expect(failure(() => findTensorFlow(() => ended(0, '\n'), 'python3'))).toMatchInlineSnapshot(
      `"python3 has no TensorFlow. Make one: \`python3 -m venv tf && tf/bin/pip install 'tensorflow[and-cuda]'\` (without a GPU: \`tensorflow-cpu\`), then pass its folder: \`--tensorflow tf/lib/python3.*/site-packages/tensorflow\`."`,
    );
    expect(failure(() => findTensorFlow(() => absent, 'python9'))).toContain('there is no python9');
  });

  it('a folder that holds one', () => {
    expect(failure(() => inspectTensorFlow(join(root, 'nothing')))).toMatchInlineSnapshot(
      `"--tensorflow must be the folder of a TensorFlow, got ROOT/nothing, which is no folder. Find it: \`python3 -c "import tensorflow, os; print(os.path.dirname(tensorflow.__file__))"\`."`,
    );
    expect(failure(() => inspectTensorFlow(root))).toMatchInlineSnapshot(
      `"ROOT must hold libtensorflow_cc.so.2 (a Python package) or lib/libtensorflow.so.2 (an unpacked libtensorflow), got neither. Pass the folder site-packages/tensorflow."`,
    );
    const folder = fakeTensorFlow('include/tensorflow/c/eager/c_api.h');
    expect(failure(() => inspectTensorFlow(folder))).toMatchInlineSnapshot(
      `"the TensorFlow in ROOT/site-packages/tensorflow must have the header include/tensorflow/c/eager/c_api.h, got none. Install the complete package: \`pip install --force-reinstall tensorflow\`."`,
    );
  });

  it('an unpacked libtensorflow does, too', () => {
    for (const name of ['lib/libtensorflow.so.2', 'lib/libtensorflow_framework.so.2']) put(join(root, name));
    for (const name of ['c_api.h', 'eager/c_api.h']) put(join(root, 'include/tensorflow/c', name));
    expect(inspectTensorFlow(root)).toMatchObject({
      librariesFolder: join(root, 'lib'),
      libraries: ['libtensorflow.so.2', 'libtensorflow_framework.so.2'],
      version: null,
    });
  });

  it('a compiler', () => {
    expect(findCompiler(machine().run, undefined)).toBe('g++');
    expect(findCompiler(machine({ 'g++': () => absent, 'clang++': () => ended(0) }).run, undefined)).toBe('clang++');
    expect(failure(() => findCompiler(() => absent, undefined))).toMatchInlineSnapshot(
      `"a C++ compiler is needed, got none of g++, clang++. Install one (\`apt install g++\` or \`dnf install gcc-c++\`), or name yours: \`CXX=/path/to/g++\`."`,
    );
    expect(failure(() => findCompiler(() => absent, 'c++-9'))).toContain('got none of c++-9');
  });

  it("Node's headers", () => {
    put(join(root, 'node', 'include', 'node', 'node_api.h'));
    expect(findNodeHeaders(root, join(root, 'node', 'bin', 'node'))).toBe(join(root, 'node', 'include', 'node'));
    expect(failure(() => findNodeHeaders(root, join(root, 'bin', 'node')))).toMatchInlineSnapshot(
      `"node_api.h is needed, got none in ROOT/include/node. Run \`npm install --save-dev node-api-headers\` and link again."`,
    );
  });

  it('functions, which nm lists with and without versions', () => {
    const text = '                 U TF_NewStatus@VERS_1.0\n0000 T TFE_Execute\n U napi_create_object\n0001 W _ZTF_x';
    expect([...tensorflowSymbols(text)]).toEqual(['TF_NewStatus', 'TFE_Execute']);
  });
});

describe('the command line', () => {
  it('is read', () => {
    expect(parseLinkOptions([])).toEqual({ action: 'link', tensorflow: null });
    expect(parseLinkOptions(['--tensorflow', 'x'])).toEqual({ action: 'link', tensorflow: 'x' });
    expect(parseLinkOptions(['--undo'])).toEqual({ action: 'undo' });
    expect(parseLinkOptions(['-h'])).toEqual({ action: 'help' });
  });

  it('is refused where it is wrong', () => {
    expect(failure(() => parseLinkOptions(['--undo', '--tensorflow', 'x']))).toMatchInlineSnapshot(
      `"--undo takes no --tensorflow, because it finds by itself what was linked. Leave one of the two out."`,
    );
    expect(failure(() => parseLinkOptions(['--tf', 'x']))).toMatchInlineSnapshot(
      `"Unknown option '--tf'. Run with --help for the list of options."`,
    );
  });
});
