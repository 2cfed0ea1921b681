// `npm run sizes [-- --write]` prints a Markdown table: the size that each package adds to a bundle, its dependencies included and
// TensorFlow.js excluded, and the size of a complete page. --write puts the table into the README; the site includes it from there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, version } from 'vite';
import './build.mjs';
import { packageFolders } from './pack-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = mkdtempSync(join(root, 'node_modules/.bundle-sizes-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const leftOut = [/^@tensorflow\//, /^node:/, /^koffi$/];
const kibibytes = (bytes) => (bytes / 1024).toFixed(1);

/** The size of some files and, in brackets, that of each gzipped; nothing for no file. */
function sizes(files) {
  if (files.length === 0) return '';
  const sum = (sizeOf) => kibibytes(files.reduce((total, file) => total + sizeOf(file), 0));
  return `${sum((file) => file.length)} (${sum((file) => gzipSync(file).length)})`;
}

/** Code, and other files (WebAssembly, workers), of a bundle. */
function parts(output) {
  const code = Buffer.from(output.flatMap((part) => (part.type === 'chunk' ? [part.code] : [])).join(''));
  const others = output.flatMap((part) => (part.type === 'asset' ? [Buffer.from(part.source)] : []));
  return { code, others };
}

/** Everything that a package exports, bundled and minified. */
async function bundle(name) {
  const entry = join(work, `${name.replace('@tfjs-ssl/', '')}.js`);
  writeFileSync(entry, `export * from '${name}';\n`);
  const { output } = await build({
    configFile: false,
    root: work,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: entry, external: leftOut, preserveEntrySignatures: 'strict' },
    },
  });
  return parts(output);
}

const lines = [
  `Minified size in KiB, gzipped in brackets (Vite ${version}). Each row includes the packages it imports, so rows overlap; TensorFlow.js is not included.`,
  '',
  '| package | code | WebAssembly, workers | for |',
  '|---|---|---|---|',
];
for (const folder of packageFolders) {
  const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { code, others } = await bundle(name);
  const needsNode = /from\s*["']node:/.test(code);
  const cells = [
    `\`${name.replace('@tfjs-ssl/', '')}\``,
    sizes([code]),
    sizes(others),
    needsNode ? 'Node' : 'Node, browsers',
  ];
  lines.push(`| ${cells.join(' | ')} |`);
}
const example = join(root, 'examples/browser-features');
const { output } = await build({ root: example, logLevel: 'silent', build: { write: false } });
const { code, others } = parts(output);
lines.push(
  '',
  'The complete page of `examples/browser-features` includes TensorFlow.js, two engines and a ResNet-18: ' +
    `${sizes([code])} KiB of code, ${sizes(others)} KiB of WebAssembly, workers, style and HTML.`,
);
const table = lines.join('\n');
console.log(table);

if (process.argv.includes('--write')) {
  const readme = join(root, 'README.md');
  const text = readFileSync(readme, 'utf8');
  const [begin, end] = ['<!-- #region sizes -->\n', '\n<!-- #endregion sizes -->'];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < from)
    throw new Error(`README.md must have the lines ${begin.trim()} and ${end.trim()}. Put them in.`);
  writeFileSync(readme, text.slice(0, from) + table + text.slice(to));
}
