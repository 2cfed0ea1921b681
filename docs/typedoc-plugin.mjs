// TypeDoc names a module after its file; a reader knows it by its package, and learns what it is from package.json.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Comment, Converter, ReflectionKind } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return;
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    const { name, description } = JSON.parse(readFileSync(join(dirname(file), '../package.json'), 'utf8'));
    reflection.name = name;
    reflection.comment = new Comment([{ kind: 'text', text: `${description}.` }]);
  });
}
