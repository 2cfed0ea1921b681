// `npm run pack [-- FOLDER]`: builds every package and packs it as it would be published. Default folder: tarballs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders of all packages. */
export const packageFolders = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')));

/**
 * Builds and packs.
 *
 * @param {string} destination - a folder; made where it is not there.
 * @returns {Promise<string[]>} paths of the tarballs.
 * @throws Error where the build fails or a tarball would hold tests.
 */
export async function packPackages(destination) {
  await import('./build.mjs');
  if (process.exitCode) throw new Error('pack: the build has failed');
  mkdirSync(destination, { recursive: true });
  return packageFolders.map((folder) => {
    const args = ['pack', '--json', '--pack-destination', destination];
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm ${args.join(' ')} in ${folder} ended with exit code ${status}\n${stderr}`);
    const [packed] = JSON.parse(stdout);
    const tests = packed.files.filter(({ path }) => /\.test\./.test(path));
    if (tests.length > 0)
      throw new Error(`${packed.filename} holds tests: ${tests.map(({ path }) => path).join(', ')}`);
    console.log(`${packed.filename}  ${packed.files.length} files, ${(packed.size / 1024).toFixed(1)} KiB`);
    return join(destination, packed.filename);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const destination = resolve(process.argv[2] ?? join(root, 'tarballs'));
  const tarballs = await packPackages(destination);
  console.log(`${tarballs.length} packages in ${destination}`);
}
