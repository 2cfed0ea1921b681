// The API pages: one module per package, from the doc comments in the sources. Anything exported without one fails the build.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const packages = new URL('../packages/', import.meta.url);
const names = readdirSync(packages)
  .filter((folder) => existsSync(new URL(`${folder}/src/index.ts`, packages)))
  .map((folder) => JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8')).name);

/** @type {Partial<import('typedoc').TypeDocOptions & import('typedoc-plugin-markdown').PluginOptions>} */
export default {
  // a name is documented in the first package that exports it, so the one that re-exports comes last
  entryPoints: ['../packages/!(all)/src/index.ts', '../packages/all/src/index.ts'],
  tsconfig: 'tsconfig.api.json',
  plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme', './typedoc-plugin.mjs'],
  name: 'API',
  readme: 'none',
  locales: { en: { kind_module: 'Package', kind_plural_module: 'Packages' } },
  out: 'api',
  docsRoot: '.',
  entryFileName: 'index',
  disableSources: true,
  excludePrivate: true,
  groupOrder: ['Functions', 'Classes', 'Variables', '*'],
  sidebar: { autoConfiguration: true, format: 'vitepress', pretty: false, collapsed: true },
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  propertyMembersFormat: 'table',
  typeDeclarationFormat: 'table',
  indexFormat: 'table',
  useCodeBlocks: true,
  expandObjects: true,
  expandParameters: true,
  packagesRequiringDocumentation: names,
  requiredToBeDocumented: ['Variable', 'Function', 'Class', 'Interface', 'Method', 'Accessor', 'TypeAlias', 'Enum'],
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  treatValidationWarningsAsErrors: true,
  treatWarningsAsErrors: true,
};
