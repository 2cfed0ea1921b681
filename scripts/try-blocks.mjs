// Type-checks and runs code blocks in a project that has the packages installed as others have them.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from 'fast-png';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * What the blocks find in their folder: images in two classes, one by itself, weights as torchvision has them, with a classifier, and
 * two images with features.
 */
const fixtures = ['data', 'cat.jpg', 'resnet18.safetensors', 'check.safetensors'];

function makeFixtures(project) {
  for (const [label, name] of ['daisy', 'rose'].entries()) {
    mkdirSync(join(project, 'data/flowers', name), { recursive: true });
    for (let i = 0; i < 24; i++) {
      const data = Uint8Array.from(
        { length: 40 * 36 * 3 },
        (_, at) => (at * (label + 2) + 31 * i + ((at >> 5) % 7) * 20) % 256,
      );
      writeFileSync(
        join(project, 'data/flowers', name, `${i}.png`),
        encode({ width: 40, height: 36, data, channels: 3, depth: 8 }),
      );
    }
  }
  copyFileSync(join(project, 'data/flowers/daisy/0.png'), join(project, 'cat.jpg')); // decoders go by the bytes, not by the name
  const script = `
    import { writeFileSync } from 'node:fs';
    import { useEngine } from '@tfjs-ssl/engine';
    import { encodeWeights, resnet18 } from '@tfjs-ssl/resnet';
    import { decodeSafetensors, encodeSafetensors } from '@tfjs-ssl/safetensors';
    await useEngine('auto');
    const { tensors } = decodeSafetensors(await encodeWeights(resnet18({ inputShape: [64, 64, 3] })));
    const floats = (shape) => ({ dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
    const classifier = { 'fc.weight': floats([1000, 512]), 'fc.bias': floats([1000]) };
    writeFileSync('resnet18.safetensors', encodeSafetensors({ ...tensors, ...classifier }));
    const check = { images: floats([2, 64, 64, 3]), features: floats([2, 512]) };
    writeFileSync('check.safetensors', encodeSafetensors(check));`;
  const args = ['--input-type=module', '--eval', script];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the weights for the code blocks cannot be made:\n${stderr}`);
}

/** A shell block is not run: it would train, serve or publish. What it names must be there. */
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
  console.log(`${shell.length} shell blocks: every script that they name is there`);

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
    `${code.length} code blocks run in ${((performance.now() - start) / 1000).toFixed(0)} s, ${notRun} not run for the reasons above; ` +
      `${inProjects.length} are files of projects, which check:consumers uses`,
  );
}
