// The code blocks of everything that people read: READMEs, the site, CONTRIBUTING.md, and the doc comments behind the API pages.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * A code block.
 *
 * @typedef {object} CodeBlock
 * @property {string} name - file and number, fit for a folder.
 * @property {string} where - file and line.
 * @property {'ts' | 'js' | 'sh' | 'html'} language
 * @property {string} code
 * @property {string | null} file - the file of a project whose text it is, named behind the language; such blocks run together.
 * @property {string | null} notRun - why it cannot be run in a check, from the comment `<!-- not run: REASON -->` before it.
 */

const markdownIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

const foldersIn = (folder) =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, 'package.json')));

/** READMEs and the like, and the pages of the site that people wrote. */
function pages() {
  const site = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(api|public|node_modules|\.vitepress)\//.test(name))
    .map((name) => join(root, 'docs', name));
  const folders = [
    root,
    join(root, 'benchmarks'),
    ...foldersIn(join(root, 'packages')),
    ...foldersIn(join(root, 'examples')),
  ];
  return [...folders.flatMap(markdownIn), ...site];
}

/** Sources of the packages, whose doc comments become the API pages. */
function sources() {
  return foldersIn(join(root, 'packages')).flatMap((folder) =>
    readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, 'src', name)),
  );
}

function blocksOf(path, fence) {
  const text = readFileSync(path, 'utf8');
  const file = relative(root, path);
  return [...text.matchAll(fence)].map((match, i) => {
    const { reason, margin, language, title, code } = match.groups;
    return {
      name: `${file.replace(/\.(md|ts)$/, '').replaceAll('/', '-')}-${i + 1}`,
      where: `${file}:${text.slice(0, match.index).split('\n').length + (reason ? 1 : 0)}`,
      language,
      code: code
        .split('\n')
        .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line.trimStart().replace(/^\* ?/, '')))
        .join('\n'),
      file: title ?? null,
      notRun: reason ?? null,
    };
  });
}

const inMarkdown =
  /^(?:<!-- not run: (?<reason>.+?) -->\n)?(?<margin>)```(?<language>ts|js|sh|html)(?: \[(?<title>.+?)\])?\n(?<code>[\s\S]*?)^```$/gm;
const inComments =
  /^(?:[ ]*\* <!-- not run: (?<reason>.+?) -->\n)?(?<margin>[ ]*\* )```(?<language>ts|js|sh)\n(?<code>[\s\S]*?)^[ ]*\* ```$/gm;

/** @returns {CodeBlock[]} all blocks, in the order of their files. */
export function codeBlocks() {
  return [
    ...pages().flatMap((path) => blocksOf(path, inMarkdown)),
    ...sources().flatMap((path) => blocksOf(path, inComments)),
  ];
}

/**
 * The project of a page: its blocks that name their files.
 *
 * @param {string} page - path of the Markdown file, from the root.
 * @returns {{ file: string, code: string }[]}
 */
export const projectOf = (page) =>
  blocksOf(join(root, page), inMarkdown)
    .filter(({ file }) => file !== null)
    .map(({ file, code }) => ({ file, code }));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { where, language, file, notRun } of codeBlocks()) console.log(where, language, file ?? '', notRun ?? '');
}
