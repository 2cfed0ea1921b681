import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

function sourcesBelow(folder: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^[^/]+\/(src|workers)\/.*\.(ts|js|mjs)$/.test(name) && !/\.test\.ts$/.test(name))
    .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8'));
}

/** All texts of the library, with what a template fills in marked by `…` and pieces of one message joined. */
const texts = [...sourcesBelow('packages'), ...sourcesBelow('examples')]
  .join('\n')
  .replaceAll(/[`'"]\s*\+\s*[`'"]/g, '')
  .replaceAll("\\'", "'");

const page = readFileSync(`${root}docs/troubleshooting.md`, 'utf8');
// the messages of TensorFlow.js itself are not in our sources
const ownSections = page.replace(/^## TensorFlow\.js$[\s\S]*?(?=^## )/m, '');
const quoted = [...ownSections.matchAll(/^### `(.+)`$/gm)].map(([, text]) => text as string);

describe('the page about troubleshooting quotes messages that exist', () => {
  test('it has entries', () => expect(quoted.length).toBeGreaterThan(40));

  test.each(quoted)('%s', (text) => {
    const fragments = text
      .split('…')
      .map((fragment) => fragment.trim())
      .filter((fragment) => /\w{2}/.test(fragment));
    expect(fragments.length).toBeGreaterThan(0);
    for (const fragment of fragments) expect(texts).toContain(fragment);
  });
});
