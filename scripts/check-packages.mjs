// Checks the packages as others get them: packs every one, lints the tarballs (publint, are-the-types-wrong), installs them
// together into an empty project, then type-checks and runs there every `ts` block of the READMEs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
await import('./build.mjs');
if (process.exitCode) process.exit();

const project = mkdtempSync(join(tmpdir(), 'tfjs-ssl-packages-'));
process.on('exit', () => rmSync(project, { recursive: true, force: true }));

/** Runs a command; on failure shows what it printed and ends with its name. */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\n`);
    throw new Error(`${command} ${args.join(' ')} ended with exit code ${status}`);
  }
  return stdout;
}

const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
const tarballs = folders.map((folder) => {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', project], folder));
  const tests = packed.files.filter(({ path }) => /\.test\./.test(path));
  if (tests.length > 0) throw new Error(`${packed.filename} holds tests: ${tests.map(({ path }) => path).join(', ')}`);
  console.log(`${packed.filename}  ${packed.files.length} files, ${(packed.size / 1024).toFixed(1)} KiB`);
  return join(project, packed.filename);
});

for (const tarball of tarballs) {
  run('npx', ['--no-install', 'publint', 'run', tarball, '--strict'], root);
  run('npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'], root);
}
console.log(`publint and attw: ${tarballs.length} packages clean`);

const versions = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
const peers = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-webgpu',
  'webgpu',
];
const tools = ['typescript', '@types/node'];
writeFileSync(
  join(project, 'package.json'),
  JSON.stringify({
    private: true,
    type: 'module',
    dependencies: Object.fromEntries([...peers, ...tools].map((name) => [name, versions[name]])),
  }),
);
run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], project);
console.log('installed together into an empty project');

const readmes = [join(root, 'README.md'), ...folders.map((folder) => join(folder, 'README.md'))];
const examples = readmes.flatMap((path) => {
  const blocks = [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)];
  const name =
    path
      .slice(root.length)
      .replace(/\/?README\.md$/, '')
      .replaceAll('/', '-') || 'readme';
  return blocks.map(([, code], i) => ({ name: `${name}-${i + 1}`, code }));
});
if (examples.length < readmes.length)
  throw new Error(`expected an example in every README, found ${examples.length} in ${readmes.length}`);
for (const { name, code } of examples) {
  const path = join(project, 'examples', name, 'example.ts');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${code}\nexport {};\n`);
}
// TensorFlow.js's own declarations of WebGPU contradict those of TypeScript's DOM library: hence skipLibCheck.
writeFileSync(
  join(project, 'tsconfig.json'),
  JSON.stringify({
    compilerOptions: {
      module: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2023', 'DOM'],
      strict: true,
      skipLibCheck: true,
      types: ['node'],
    },
    include: ['examples'],
  }),
);
const tsc = join(project, 'node_modules/typescript/bin/tsc');
run(process.execPath, [tsc, '-p', project], project);
console.log(`type-checked ${examples.length} examples`);
for (const { name } of examples) {
  const start = performance.now();
  run(process.execPath, ['example.js'], join(project, 'examples', name));
  console.log(`ran ${name}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
