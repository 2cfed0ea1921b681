// Follows every link of the built site, of the READMEs and of the other Markdown files of the repository.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = fileURLToPath(new URL('.vitepress/dist', import.meta.url));

const filesOf = (folder, ending) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");

/** Links of the built pages: pages, files and anchors must be there, and nothing may be loaded from elsewhere. */
function checkSite() {
  const pages = filesOf(site, '.html');
  const ids = new Map();
  const html = new Map(pages.map((page) => [page, readFileSync(page, 'utf8')]));
  for (const [page, text] of html)
    ids.set(page, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => unescaped(id))));
  const broken = [];
  let links = 0;
  for (const [page, text] of html) {
    const where = relative(site, page);
    for (const [tag, address] of text.matchAll(
      /<(?:script|img|link|iframe|source|video)\b[^>]*?\s(?:src|href)="([^"]+)"/g,
    )) {
      if (/^(https?:)?\/\//.test(address) && !/rel="(canonical|alternate)"/.test(tag))
        broken.push(`${where} loads ${address}`);
    }
    for (const [, raw] of text.matchAll(/<a\b[^>]*?\shref="([^"]+)"/g)) {
      const link = unescaped(raw);
      if (/^(https?:|mailto:)/.test(link)) continue;
      links++;
      const [path, hash = ''] = link.split('#');
      const base = path === '' ? page : path.startsWith('/') ? join(site, path) : join(dirname(page), path);
      const target = [base, `${base}.html`, join(base, 'index.html')].find(
        (file) => existsSync(file) && statSync(file).isFile(),
      );
      if (!target) broken.push(`${where} links to ${link}: no such page`);
      else if (hash && ids.has(target) && !ids.get(target).has(decodeURIComponent(hash)))
        broken.push(`${where} links to ${link}: no such anchor`);
    }
  }
  return { pages: pages.length, links, broken };
}

/** GitHub's anchor of a heading. */
const slug = (heading) =>
  heading
    .replaceAll(/[`*]|\[|\]\([^)]*\)/g, '')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');

/** Relative links of the Markdown files that are read in the repository itself. */
function checkMarkdown() {
  const folders = ['packages', 'examples', 'test'].flatMap((parent) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => join(root, parent, name)) : [],
  );
  const files = [root, join(root, 'benchmarks'), ...folders]
    .filter((folder) => statSync(folder).isDirectory())
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.md'));
  const withoutCode = (file) => readFileSync(file, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  const broken = [];
  let links = 0;
  for (const file of files) {
    for (const [, link] of withoutCode(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:)/.test(link)) continue;
      links++;
      const [path, hash] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(target)) broken.push(`${relative(root, file)} links to ${link}: no such file`);
      else if (hash && target.endsWith('.md')) {
        const anchors = [...withoutCode(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading));
        if (!anchors.includes(hash)) broken.push(`${relative(root, file)} links to ${link}: no such heading`);
      }
    }
  }
  return { files: files.length, links, broken };
}

/**
 * Checks all links.
 *
 * @returns {string} what was looked at.
 * @throws Error that lists the broken ones.
 */
export function checkLinks() {
  const [built, markdown] = [checkSite(), checkMarkdown()];
  const broken = [...built.broken, ...markdown.broken];
  if (broken.length > 0) throw new Error(`docs: ${broken.length} broken links:\n${[...new Set(broken)].join('\n')}`);
  return `${built.links} links of ${built.pages} pages and ${markdown.links} of ${markdown.files} Markdown files: none broken, nothing loaded from elsewhere`;
}
