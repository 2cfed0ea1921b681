// `node scripts/check-consumers.mjs [--weights FILE] [--picture FILE]`: uses the packed packages as others do, in copies of
// examples/node-features and examples/browser-features without any link to the source: runs the one, builds the other and uses it in
// headless Chromium; then does so with the page that docs/getting-started/browser.md tells to write. --weights is the model.safetensors of
// a run of the quick scale; --picture takes a picture of the page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { noChromium } from './chromium.mjs';
import { projectOf } from './code-blocks.mjs';
import { packageFolders, packPackages } from './pack-packages.mjs';
import { useDocsPage } from './use-docs-page.mjs';
import { usePage } from './use-page.mjs';
import { useTrainingPage } from './use-training-page.mjs';

const { values } = parseArgs({ options: { weights: { type: 'string' }, picture: { type: 'string' } } });
const weights = values.weights === undefined ? undefined : resolve(values.weights);
const examples = fileURLToPath(new URL('../examples', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'tfjs-ssl-consumers-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** Runs a command, shows what it printed only where it fails, and returns its output. */
function run(command, args, cwd) {
  const env = { ...process.env, NODE_ENV: undefined }; // Vite sets it here; npm would leave development packages out
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}

const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Folders of the packages that a project or package names, and of those that they stand on. */
function needed(folder, found = new Set()) {
  for (const name of Object.keys(manifest(folder).dependencies ?? {})) {
    const dependency = packageFolders.find((of) => manifest(of).name === name);
    if (!dependency || found.has(dependency)) continue;
    found.add(dependency);
    needed(dependency, found);
  }
  return found;
}

/** Copies a project and installs into it the tarballs of the packages that it needs. */
function install(name, tarballs) {
  const project = join(work, name);
  cpSync(join(examples, name), project, {
    recursive: true,
    filter: (path) => !/[/\\](node_modules|dist)$/.test(path),
  });
  const own = [...needed(project)].map((folder) => tarballs[packageFolders.indexOf(folder)]);
  run('npm', ['install', '--no-audit', '--no-fund', '--no-save', ...own], project);
  for (const folder of readdirSync(join(project, 'node_modules/@tfjs-ssl'), { withFileTypes: true })) {
    assert.ok(folder.isDirectory(), `${name}: @tfjs-ssl/${folder.name} is installed, not linked`);
  }
  return project;
}

const tarballs = await packPackages(join(work, 'tarballs'));

const node = install('node-features', tarballs);
const output = run(process.execPath, ['main.js', ...(weights ? [weights] : [])], node);
console.log(output);
assert.match(output, /^engine: \w+, /m);
assert.match(output, /^features: 18 x 128$/m);
assert.equal(
  output.match(/^\w+ \w+ \w+: .*\(\d\.\d{3}\), .*\(\d\.\d{3}\)$/gm)?.length,
  18,
  'neighbours of 18 pictures',
);

const browser = install('browser-features', tarballs);
run('npm', ['run', 'build'], browser);
const built = readdirSync(join(browser, 'dist'), { recursive: true, withFileTypes: true })
  .filter((file) => file.isFile())
  .map(({ parentPath, name }) => ({ name, bytes: readFileSync(join(parentPath, name)) }));
const kibibytes = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
const size = (files) =>
  `${kibibytes(files.reduce((sum, { bytes }) => sum + bytes.length, 0))}, ${kibibytes(files.reduce((sum, { bytes }) => sum + gzipSync(bytes).length, 0))} gzipped`;
console.log(`browser-features, built: ${size(built)}`);
for (const file of built) console.log(`  ${file.name}: ${size([file])}`);

if (noChromium === null) {
  await usePage(browser, { weights, picture: values.picture });
  const page = join(work, 'docs-page');
  mkdirSync(page);
  for (const { file, code } of projectOf('docs/getting-started/browser.md')) writeFileSync(join(page, file), code);
  renameSync(join(browser, 'node_modules'), join(page, 'node_modules')); // the same packages
  await useDocsPage(page, weights);

  const training = join(work, 'training-page');
  mkdirSync(training);
  for (const { file, code } of projectOf('docs/guides/train-in-a-page.md')) writeFileSync(join(training, file), code);
  renameSync(join(page, 'node_modules'), join(training, 'node_modules'));
  cpSync(join(browser, 'package.json'), join(training, 'package.json'));
  run('npm', ['install', '--no-audit', '--no-fund', '--no-save', ...tarballs], training); // as the site tells: all of them
  await useTrainingPage(training);
} else {
  console.log(`browser-features: not opened, ${noChromium}`);
}
