import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { codeBlocks } from '../scripts/code-blocks.mjs';
import { comparison, countLines, most, shortestTraining } from '../scripts/count-lines.mjs';

/** Casts of a piece of TypeScript; `as const` is none. */
function castsIn(code: string): string[] {
  const casts: string[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) && !ts.isConstTypeReference(node.type))
      casts.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('block.ts', code, ts.ScriptTarget.ESNext, true));
  return casts;
}

describe('code that people read', () => {
  const blocks = codeBlocks().filter(({ language }) => language === 'ts' || language === 'js');

  test('trains SimCLR on images of one’s own in few lines', () => {
    const code = shortestTraining();
    console.log(`Lines of a SimCLR training:\n${comparison().join('\n')}`);
    expect(countLines('// why\n\nconst a = 1; // one\n  // two\n')).toBe(1);
    expect(code).toMatch(/imageFolder[\s\S]*saveWeights/);
    expect(countLines(code)).toBeLessThanOrEqual(most);
    expect(Math.max(...code.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(88);
  });

  test('has no casts', () => {
    expect(blocks.length).toBeGreaterThan(100);
    expect(castsIn('const a = b as string; const c = [1] as const;')).toEqual(['b as string']);
    expect(blocks.flatMap(({ where, code }) => castsIn(code).map((cast) => `${where}: ${cast}`))).toEqual([]);
  });

  test('makes floats of bytes by imageTensor, and needs no ops but in their own package', () => {
    const slow = /Float32Array\.from\(\w+, \(\w+\) => \w+ \/ 255\)|div\([^)]*'int32'\), 255/;
    const bad = blocks.filter(
      ({ where, code }) =>
        slow.test(code) ||
        (/^(README|docs|examples|packages\/(?!ops)[^/]+\/README)/.test(where) && /tfjs-ssl\/ops/.test(code)),
    );
    expect(bad.map(({ where }) => where)).toEqual([]);
  });
});
