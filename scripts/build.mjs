// Builds what is out of date: the WebAssembly kernels, then every package in dependency order. Says so while it takes time.
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildKernels } from '../packages/engine-simd/scripts/build-kernels.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const started = performance.now();
const secondsSince = (from) => (performance.now() - from) / 1000;
let announced = false;

/** Shows how far a stage of the build is: a line that is written over on a terminal, its first line elsewhere. */
function progress(stage) {
  const from = performance.now();
  return ({ done, total, name }) => {
    const { stderr } = process;
    if (!announced) stderr.write('Building what has changed (all of it in a fresh clone: about a minute).\n');
    announced = true;
    if (!stderr.isTTY) return;
    const left = done > 0 ? `, ${Math.ceil((secondsSince(from) / done) * (total - done))} s left` : '';
    stderr.write(`\r\x1b[K${stage} ${done + 1} of ${total}: ${name}${left}`);
  };
}

/** Runs the TypeScript compiler; resolves with its exit status. */
async function compile(options) {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const child = spawn(process.execPath, [compiler, '-b', '--verbose', ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const show = progress('Packages');
  let [done, total] = [0, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    const building = /Building project '(.*)\/tsconfig\.json'/.exec(line);
    if (building) show({ done: done++, total, name: relative(root, building[1]) });
    else if (/^ {4}\* .*tsconfig\.json$/.test(line)) total++;
    // the compiler's own words about its progress begin with the time; all else is for people
    else if (line !== '' && !/^[\d:]+ [AP]M - /.test(line)) {
      process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}${line}\n`);
    }
  }
  return ended;
}

await buildKernels(progress('Kernels'));
// options of whoever imports this are none of the compiler's
const options = process.argv[1] === fileURLToPath(import.meta.url) ? process.argv.slice(2) : [];
process.exitCode = (await compile(options)) ?? 1;
if (announced && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
if (announced && !process.exitCode) process.stderr.write(`Built in ${secondsSince(started).toFixed(0)} s.\n`);
