// `node scripts/count-lines.mjs`: the lines of a whole training, the first code of README and site, beside those of other libraries.
// `node scripts/count-lines.mjs --lightly FOLDER`: also counts those of the examples in a clone of lightly-ai/lightly, by method, and writes them into
// examples/methods/lightly-lines.json.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { codeBlocks } from './code-blocks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Most lines that a training on one's own images may take. */
export const most = 20;

/** Trainings of others, counted the same way: lines that are neither blank nor a comment alone, imports included. */
const others = [
  {
    name: 'lightly',
    lines: 49,
    source: 'lightly-ai/lightly e8d317f, examples/pytorch/simclr.py (CIFAR-10, saves nothing)',
  },
  {
    name: 'stable-pretraining',
    lines: 84,
    source:
      'galilai-group/stable-pretraining d15ec96, examples/simclr_cifar10_tutorial.ipynb, the cells of imports, data, module and trainer (CIFAR-10)',
  },
];

/** Lines that are neither blank nor a comment alone; comments of TypeScript begin with `//`, those of Python with `#`. */
export const countLines = (code, comment = '//') =>
  code.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith(comment)).length;

/**
 * Lines of lightly's example of each method that has a file in examples/methods.
 *
 * @param {string} clone - a folder of lightly-ai/lightly, with its history.
 */
function countLightly(clone) {
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%h'], { cwd: clone, encoding: 'utf8' });
  const names = ['simclr', 'dcl', 'supcon', 'moco', 'byol', 'simsiam', 'barlow-twins', 'vicreg', 'swav', 'dino'];
  const files = names.map((name) => [name, join(clone, 'examples/pytorch', `${name.replace('-', '')}.py`)]);
  const counted = files.filter(([, file]) => existsSync(file));
  const methods = Object.fromEntries(
    counted.map(([name, file]) => [name, countLines(readFileSync(file, 'utf8'), '#')]),
  );
  return { source: `lightly-ai/lightly ${stdout.trim()}, examples/pytorch`, methods };
}

/**
 * The first code of README and site that is no shell command.
 *
 * @returns {string} the same in both.
 * @throws Error where it is not.
 */
export function shortestTraining() {
  const blocks = codeBlocks();
  const [readme, site] = ['README.md', 'docs/index.md'].map(
    (file) => blocks.find(({ where, language }) => where.startsWith(`${file}:`) && language === 'ts')?.code,
  );
  if (readme === undefined || readme !== site)
    throw new Error('README.md and docs/index.md must begin with the same code.');
  return readme;
}

/** A line for each library. */
export function comparison() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const ours = { name: 'tfjs-ssl', lines: countLines(shortestTraining()), source: `README.md of ${version}` };
  return [ours, ...others].map(({ name, lines, source }) => `${String(lines).padStart(4)}  ${name}  (${source})`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { lightly } = parseArgs({ options: { lightly: { type: 'string' } } }).values;
  console.log(`Lines of a SimCLR training:\n${comparison().join('\n')}`);
  if (lightly) {
    const counts = countLightly(lightly);
    writeFileSync(join(root, 'examples/methods/lightly-lines.json'), `${JSON.stringify(counts, null, 2)}\n`);
    console.log(counts);
  }
}
