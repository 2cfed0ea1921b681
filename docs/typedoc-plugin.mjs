// TypeDoc names a module after its file; a reader knows it by its package, and learns what it is from its package.json and README.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Comment, Converter, ReflectionKind } from 'typedoc';

/** The first example of a README, with its fences. */
const example = (readme) => readme.match(/^```ts\n[\s\S]*?^```$/m)?.[0] ?? '';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return;
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    const folder = join(dirname(file), '..');
    const { name, description } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    reflection.name = name;
    reflection.comment = new Comment([
      { kind: 'text', text: `${description}.\n\n` },
      { kind: 'code', text: example(readFileSync(join(folder, 'README.md'), 'utf8')) },
    ]);
  });
  // What TensorFlow.js keeps to itself and its subclasses: no reader calls it, and the links to such names have other anchors than the names.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.name.startsWith('_') && reflection.flags.isProtected) project.removeReflection(reflection);
    }
  });
}
