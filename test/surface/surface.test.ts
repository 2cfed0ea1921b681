import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** A value of `exports` in a package.json: files by condition. */
type Conditions = Record<string, string>;

/** A module that a package's `exports` lead to: how it is imported, and its source. */
type Entry = { specifier: string; file: string };

const packages = fileURLToPath(new URL('../../packages/', import.meta.url));
const names = readdirSync(packages);
const entries = names.flatMap(entriesOf);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  { module: ts.ModuleKind.NodeNext, customConditions: ['@tfjs-ssl/source'], types: ['node'], skipLibCheck: true },
);
const checker = program.getTypeChecker();

/** The source files that a package's `exports` lead to, with the condition in brackets where a bundler takes another. */
function entriesOf(name: string): Entry[] {
  const { exports } = JSON.parse(readFileSync(`${packages}${name}/package.json`, 'utf8'));
  return Object.entries<Conditions | string>(exports).flatMap(([subpath, conditions]) => {
    if (typeof conditions === 'string') return [];
    const specifier = `@tfjs-ssl/${name}${subpath.slice(1)}`;
    const source = (path: string) => `${packages}${name}/src/${basename(path, '.js')}.ts`;
    const { '@tfjs-ssl/source': own, types: _, default: built, ...others } = conditions;
    if (!own || !built || `${packages}${name}/${own.slice(2)}` !== source(built)) {
      throw new Error(`${specifier}: its source is not what its default is built from.`);
    }
    return [
      { specifier, file: source(built) },
      ...Object.entries(others).map(([condition, path]) => ({
        specifier: `${specifier} (${condition})`,
        file: source(path),
      })),
    ];
  });
}

/** What a module exports, sorted: names that are there when the program runs, and names of types alone. */
function exportsOf(file: string): { values: string[]; types: string[] } {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} is not a module.`);
  const values: string[] = [];
  const types: string[] = [];
  for (const symbol of checker.getExportsOfModule(module)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const typeOnly = symbol.declarations?.some(ts.isTypeOnlyExportDeclaration);
    (target.flags & ts.SymbolFlags.Value && !typeOnly ? values : types).push(symbol.name);
  }
  return { values: values.sort(), types: types.sort() };
}

/** Names that differ in the case of their letters alone. */
function alikeButForCase(all: Iterable<string>): string[][] {
  const alike = new Map<string, string[]>();
  for (const name of new Set(all)) {
    const key = name.toLowerCase();
    alike.set(key, [...(alike.get(key) ?? []), name]);
  }
  return [...alike.values()].filter(({ length }) => length > 1);
}

/** A function may share its name with the type that it makes, but for the first letter: the type counts as its namesake then. */
function namesOf(all: { values: string[]; types: string[] }): string[] {
  const values = new Set(all.values);
  const namesake = (type: string) => type.charAt(0).toLowerCase() + type.slice(1);
  return [...values, ...all.types.map((type) => (values.has(namesake(type)) ? namesake(type) : type))];
}

describe('the public surface', () => {
  it.each(names)('of %s is the one in test/surface', async (name) => {
    const lines = entriesOf(name).flatMap(({ specifier, file }) => {
      const { values, types } = exportsOf(file);
      const list = (what: string, found: string[]) => [`${found.length} ${what}`, ...found.map((one) => `  ${one}`)];
      return [specifier, ...list('values', values), ...list('types', types), ''];
    });
    await expect(lines.join('\n')).toMatchFileSnapshot(`${name}.txt`);
  });

  it('has no two names that differ in case alone', () => {
    const all = { values: ['ntXent', 'adam', 'gpuEngine'], types: ['NTXent', 'Adam', 'GPUEngine'] };
    expect(alikeButForCase(namesOf(all))).toEqual([
      ['ntXent', 'NTXent'],
      ['gpuEngine', 'GPUEngine'],
    ]);
    const found = entries.map(({ file }) => exportsOf(file));
    const surface = { values: found.flatMap(({ values }) => values), types: found.flatMap(({ types }) => types) };
    expect(alikeButForCase(namesOf(surface))).toEqual([]);
  });
});
