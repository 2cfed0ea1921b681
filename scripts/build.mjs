// Builds what is out of date: the WebAssembly kernels, then every package in dependency order.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildKernels } from '../packages/engine-simd/scripts/build-kernels.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

await buildKernels();
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
// options of whoever imports this are none of the compiler's
const options = process.argv[1] === fileURLToPath(import.meta.url) ? process.argv.slice(2) : [];
const { status, error } = spawnSync(process.execPath, [compiler, '-b', ...options], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (error) throw error;
process.exitCode = status ?? 1;
