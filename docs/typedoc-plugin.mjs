// TypeDoc names a module after its file; a reader knows it by its package, and learns what it is from its package.json and README.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Comment, Converter, ReflectionKind } from 'typedoc';

/** The first example of a README, with its fences. */
const example = (readme) => readme.match(/^```ts\n[\s\S]*?^```$/m)?.[0] ?? '';

/** The packages that a package re-exports entirely, as links from its page; '' if it has names of its own. */
function reexports(source) {
  const packages = [...source.matchAll(/^export \* from '(.+)';$/gm)].map(([, name]) => name);
  if (packages.length !== source.trim().split('\n').length) return '';
  const links = packages.map((name) => `[${name}](../${name.split('/')[1]}/index.md)`);
  return `\n\nIt re-exports everything of these packages: ${links.join(', ')}.`;
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  const collections = new Set();
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return;
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    const folder = join(dirname(file), '..');
    const { name, description } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const rest = reexports(readFileSync(file, 'utf8'));
    if (rest) collections.add(reflection);
    reflection.name = name;
    reflection.comment = new Comment([
      { kind: 'text', text: `${description}.\n\n` },
      { kind: 'code', text: example(readFileSync(join(folder, 'README.md'), 'utf8')) },
      { kind: 'text', text: rest },
    ]);
  });
  // What TensorFlow.js keeps to itself and its subclasses: no reader calls it, and the links to such names have other anchors than the names.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of collections) for (const name of [...(module.children ?? [])]) project.removeReflection(name);
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.name.startsWith('_') && reflection.flags.isProtected) project.removeReflection(reflection);
    }
  });
}
