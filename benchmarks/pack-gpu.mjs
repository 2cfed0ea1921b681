// `node benchmarks/pack-gpu.mjs FILE.tar.xz [--no-tests]`: packs what `benchmarks/gpu.sh` needs beyond the files in git, for a Linux x86-64 machine without
// network: what has been built, and the packages of node_modules that it runs with. gpu.sh unpacks it where GPU_BUILD names it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [file, option] = process.argv.slice(2);
if (!file || (option && option !== '--no-tests')) {
  console.error('usage: node benchmarks/pack-gpu.mjs FILE.tar.xz [--no-tests]');
  process.exit(2);
}

const read = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const folders = (parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name));
const workspaces = [
  ...folders('packages'),
  join(root, 'examples/simclr-tiny-imagenet'),
  join(root, 'benchmarks'),
].filter((folder) => existsSync(join(folder, 'package.json')));
workspaces.push(join(root, 'test/support'));

/** Where Node finds a package that a folder imports; null where it is not installed. */
function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === dirname(folder)) return null;
  }
}

/** Only compiles the kernels anew, which are packed as they are. */
const leftOut = new Set(['binaryen', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu']);
const packed = new Set();
function add(name, from) {
  const folder = leftOut.has(name) ? null : find(name, from);
  if (!folder || packed.has(folder)) return;
  packed.add(folder);
  if (realpathSync(folder) !== folder) return; // a workspace, which is in the tree
  const { dependencies, optionalDependencies, peerDependencies } = read(folder);
  for (const next of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) add(next, folder);
}
for (const workspace of workspaces) {
  const { name, dependencies, peerDependencies } = read(workspace);
  add(name, root);
  for (const next of Object.keys({ ...dependencies, ...peerDependencies })) add(next, workspace);
}
if (option !== '--no-tests') for (const name of ['vitest', 'fast-check', 'assemblyscript']) add(name, root);

const built = workspaces
  .flatMap((workspace) => ['dist', 'wasm', 'assembly/generated'].map((name) => join(workspace, name)))
  .filter((path) => existsSync(path));
const paths = [...built, ...packed].map((path) => relative(root, path)).sort();
const other = ['darwin-*', 'win32-*', 'linux-arm64'].map((name) => `--exclude=node_modules/webgpu/dist/${name}`);
const unused = ['*.map', '*.d.ts', '*.d.mts', '*.min.js', '*.fesm.js', '*.es2017.js', '*_test.js'];
execFileSync('tar', ['-cJf', file, ...other, ...unused.map((name) => `--exclude=${name}`), ...paths], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, XZ_OPT: process.env.XZ_OPT ?? '-6 -T0' },
});
console.log(`${file}: ${packed.size} packages, ${(statSync(resolve(root, file)).size / 2 ** 20).toFixed(1)} MiB`);
