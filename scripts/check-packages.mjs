// Checks the packages as others get them: packs every one, lints the tarballs (publint, are-the-types-wrong), installs them
// together into an empty project, then type-checks and runs there every code block of READMEs, site and doc comments.
// `--blocks WORD` tries only the blocks of files whose name has that word, and leaves the linting out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { codeBlocks } from './code-blocks.mjs';
import { packageFolders, packPackages } from './pack-packages.mjs';
import { tryBlocks } from './try-blocks.mjs';

const { values } = parseArgs({ options: { blocks: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'tfjs-ssl-packages-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

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

const tarballs = await packPackages(join(work, 'tfjs-ssl/tarballs'));
if (values.blocks === undefined) {
  for (const tarball of tarballs) {
    run('npx', ['--no-install', 'publint', 'run', tarball, '--strict'], root);
    run('npx', ['--no-install', 'attw', tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'], root);
  }
  console.log(`publint and attw: ${tarballs.length} packages clean`);
}

// A project as the site tells to make it, beside what stands for the clone, and what the blocks need besides.
const blocks = codeBlocks();
const page = 'docs/getting-started/node.md';
const installing = blocks.find(({ where, code }) => where.startsWith(page) && code.includes('mkdir my-project'));
if (!installing) throw new Error(`${page} must have a block of sh that makes my-project.`);
run('bash', ['-e', '-c', installing.code], work);
const project = join(work, 'my-project');
const versions = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
const others = ['@tensorflow/tfjs-backend-webgpu', 'webgpu', 'typescript', '@types/node'];
run('npm', ['install', '--no-audit', '--no-fund', ...others.map((name) => `${name}@${versions[name]}`)], project);
console.log(`installed together into an empty project, by the commands of ${page}`);

for (const folder of packageFolders) {
  const readme = join(folder.slice(root.length), 'README.md');
  if (!blocks.some(({ where, language }) => where.startsWith(readme) && language === 'ts')) {
    throw new Error(`${readme} must have an example, a block of ts that runs. Add one.`);
  }
}
await tryBlocks(
  blocks.filter(({ where }) => where.includes(values.blocks ?? '')),
  project,
);
