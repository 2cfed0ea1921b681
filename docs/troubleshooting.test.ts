import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

function sourcesBelow(folder: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^[^/]+\/(src|workers)\/.*\.(ts|js|mjs)$/.test(name) && !/\.test\.ts$/.test(name))
    .map((name) => readFileSync(`${root}${folder}/${name}`, 'utf8'));
}

/** The words of a literal in the source, with what a template fills in marked by `…`; `…` for any other expression. */
function wordsOf(node: ts.Expression | undefined): string {
  if (!node) return '…';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return [node.head, ...node.templateSpans.map((span) => span.literal)].map(({ text }) => text).join('…');
  return '…';
}

/** The messages of the calls of `checks` in a source, put together as these functions do. */
function messagesOf(source: string): string[] {
  const messages: string[] = [];
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
    const words = (i: number) => wordsOf(node.arguments[i]);
    if (/^check(Number|Choice|Interval|Option)$/.test(node.expression.text)) {
      messages.push(`${words(0)}: ${words(1)} must be …, got …. ${words(node.arguments.length - 1)}`);
    }
    if (node.expression.text === 'fail') messages.push(`${words(0)} must ${words(1)}, got ${words(2)}. ${words(3)}`);
    const [fault] = node.arguments;
    if (node.expression.text !== 'argumentError' || !fault || !ts.isObjectLiteralExpression(fault)) return;
    const field = (name: string) => {
      const found = fault.properties.find((property) => property.name?.getText() === name);
      return wordsOf(found && ts.isPropertyAssignment(found) ? found.initializer : undefined);
    };
    messages.push(
      `${field('fn')}: ${field('argument')} must ${field('required')}, got ${field('shown')}. ${field('advice')}`,
    );
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
  return messages;
}

/** All texts of the library, with what a template fills in marked by `…` and pieces of one message joined. */
const sources = [...sourcesBelow('packages'), ...sourcesBelow('examples')];
const texts = [...sources, ...sources.filter((source) => /@tfjs-ssl\/checks/.test(source)).flatMap(messagesOf)]
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
