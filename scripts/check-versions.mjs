// All packages have one version, need one another in exactly that version, and say the same wherever it is written.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolders } from './pack-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
for (const folder of packageFolders) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name } = manifest;
  assert.equal(manifest.version, version, `${name}: version`);
  assert.deepEqual(manifest.engines, engines, `${name}: engines`);
  assert.ok(
    manifest.description && manifest.license && manifest.exports && 'sideEffects' in manifest,
    `${name}: fields`,
  );
  for (const [dependency, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (dependency.startsWith('@tfjs-ssl/')) assert.equal(range, version, `${name} needs ${dependency}`);
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    assert.ok(
      !dependency.startsWith('@tensorflow/'),
      `${name}: ${dependency} must be a peer, two copies of it do not work`,
    );
  }
}
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
assert.ok(changelog.includes(`## ${version}`), `CHANGELOG.md has no heading for ${version}`);
assert.match(readFileSync(join(root, 'CITATION.cff'), 'utf8'), new RegExp(`^version: ${version}$`, 'm'));
const inCode = readFileSync(join(root, 'packages/layers/src/version.ts'), 'utf8');
assert.ok(inCode.includes(`'${version}'`), 'layers: version.ts');
console.log(`${packageFolders.length} packages, all of version ${version}`);
