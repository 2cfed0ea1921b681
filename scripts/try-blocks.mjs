// Type-checks and runs code blocks in a project that has the packages installed as others have them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixtures, makeFixtures } from './block-fixtures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A shell block is read, not run: it would train, serve or publish. It must parse, and the scripts that it names must be there. */
function checkShell({ where, code }) {
  const folders = [root, join(root, dirname(where))].filter((folder) => existsSync(join(folder, 'package.json')));
  const scripts = folders.flatMap((folder) =>
    Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).scripts ?? {}),
  );
  for (const [, name] of code.matchAll(/npm run (?:--silent )?([\w:-]+)/g)) {
    if (!scripts.includes(name)) {
      throw new Error(`${where}: there is no script '${name}' in package.json, of the root or beside the file`);
    }
  }
  const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${where}: ${stderr}`);
}

function runBlock({ name, where }, project) {
  const env = { ...process.env, XDG_CACHE_HOME: join(project, 'cache') };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['block.js'], { cwd: join(project, 'blocks', name), timeout: 180_000, env });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${where} ended with exit code ${code}\n${text}`)),
    );
  });
}

/**
 * Tries all blocks: shell blocks are checked, the others type-checked together and run one by one, each in a folder of its own.
 *
 * @param {import('./code-blocks.mjs').CodeBlock[]} blocks
 * @param {string} project - has the packages, TypeScript and `@types/node` installed.
 * @throws Error that lists the blocks which fail, with what they printed.
 */
export async function tryBlocks(blocks, project) {
  const inProjects = blocks.filter(({ file }) => file !== null);
  const alone = blocks.filter(({ file, notRun }) => file === null && notRun === null);
  const shell = alone.filter(({ language }) => language === 'sh');
  const code = alone.filter(({ language }) => language !== 'sh');
  shell.forEach(checkShell);
  console.log(`${shell.length} shell blocks read: they parse, and every script that they name is there`);

  makeFixtures(project);
  for (const { name, language, code: text } of code) {
    const folder = join(project, 'blocks', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `block.${language}`), language === 'ts' ? `${text}\nexport {};\n` : text);
    for (const fixture of fixtures) symlinkSync(join(project, fixture), join(folder, fixture));
  }
  // TensorFlow.js's own declarations of WebGPU contradict those of TypeScript's DOM library: hence skipLibCheck.
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2023', 'DOM'],
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['blocks/**/*.ts'] }));
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  const checked = spawnSync(process.execPath, [tsc, '-p', project], { cwd: project, encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(`code blocks do not type-check:\n${checked.stdout}`);
  console.log(`${code.filter(({ language }) => language === 'ts').length} TypeScript blocks type-checked`);

  const failures = [];
  const waiting = [...code];
  const start = performance.now();
  const worker = async () => {
    for (let block = waiting.shift(); block; block = waiting.shift())
      await runBlock(block, project).catch((error) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  for (const { where, notRun } of blocks) if (notRun !== null) console.log(`not run: ${where}: ${notRun}`);
  if (failures.length > 0)
    throw new Error(
      `${failures.length} of ${code.length} code blocks fail:\n${failures.map(({ message }) => message).join('\n')}`,
    );
  const notRun = blocks.length - alone.length - inProjects.length;
  console.log(
    `${code.length} code blocks run in ${((performance.now() - start) / 1000).toFixed(0)} s, ${notRun} not run${notRun > 0 ? ' for the reasons above' : ''}; ` +
      `${inProjects.length} are files of projects, which check:consumers uses`,
  );
}
