// `npm run release:version`: takes up the changesets. All packages move together by the largest step that one of them asks for; what
// they say goes into CHANGELOG.md. (`changeset version` would call each step a major one: the engines are peers of `engine`.)
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import readChangesets from '@changesets/read';

const root = fileURLToPath(new URL('..', import.meta.url));
const changesets = await readChangesets(root);
if (changesets.length === 0) {
  console.error('release:version: there is no changeset. Describe the changes by `npx changeset` first.');
  process.exit(1);
}

const rootManifest = join(root, 'package.json');
const { version: from } = JSON.parse(readFileSync(rootManifest, 'utf8'));
const steps = changesets.flatMap(({ releases }) => releases.map(({ type }) => type));
const [major, minor, patch] = from.split('.').map(Number);
const to = steps.includes('major')
  ? `${major + 1}.0.0`
  : steps.includes('minor')
    ? `${major}.${minor + 1}.0`
    : `${major}.${minor}.${patch + 1}`;

const folders = ['packages', 'examples', 'test'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
);
const manifests = [root, join(root, 'benchmarks'), join(root, 'docs'), ...folders]
  .map((folder) => join(folder, 'package.json'))
  .filter(existsSync);
const own = /("(?:version|@tfjs-ssl\/[^"]+)": "\^?)([\d.]+)(")/g;
const inCode = join(root, 'packages/layers/src/version.ts');
for (const path of [...manifests, join(root, 'CITATION.cff'), inCode]) {
  const text = readFileSync(path, 'utf8');
  const moved = !path.endsWith('.json')
    ? text.replace(new RegExp(`(^version: |')${from.replaceAll('.', '\\.')}`, 'm'), `$1${to}`)
    : text.replaceAll(own, (all, before, version, after) => (version === from ? `${before}${to}${after}` : all));
  writeFileSync(path, moved);
}

const changelog = join(root, 'CHANGELOG.md');
const lines = changesets.map(({ summary }) => `- ${summary.trim().replaceAll('\n', '\n  ')}`);
const [head, ...entries] = readFileSync(changelog, 'utf8').split(/^(?=## )/m);
writeFileSync(changelog, [head, `## ${to}\n\n${lines.join('\n')}\n\n`, ...entries].join(''));
for (const { id } of changesets) rmSync(join(root, '.changeset', `${id}.md`));
console.log(
  `${from} -> ${to}: ${changesets.length} changesets, ${manifests.length} manifests. Now: npm install, npm run release:check`,
);
