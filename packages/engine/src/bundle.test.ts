import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../../', import.meta.url));
const condition = '@tfjs-ssl/source';
/** What registers gradients: every package that stands on ops must bring it, or `tf.grad` fails in Node. */
const gradients = /import\b[^;]*['"]@tensorflow\/tfjs-layers['"]/;

const standOnOps = readdirSync(packages).filter((name) => {
  const { dependencies = {} } = JSON.parse(readFileSync(`${packages}${name}/package.json`, 'utf8'));
  return '@tfjs-ssl/ops' in dependencies && !/^engine-(cpu|tensorflow)$/.test(name); // these take types alone
});

/** A program that uses one export of a package, of which a bundler drops what it takes to be without effect. */
const program = (name: string) => `import * as all from '@tfjs-ssl/${name}'; console.log(Object.keys(all));`;

describe.each(standOnOps)('a bundle of %s', (name) => {
  it('has no warning of esbuild, and keeps what registers gradients', async () => {
    const { outputFiles, warnings } = await build({
      stdin: { contents: program(name), resolveDir: packages },
      ...{ bundle: true, write: false, format: 'esm', platform: 'node', conditions: [condition] },
      ...{ external: ['@tensorflow/*', 'webgpu'], logLevel: 'silent' },
    });
    expect(warnings.map(({ text }) => text)).toEqual([]);
    expect(gradients.test(outputFiles[0]?.text ?? ''), 'registers gradients').toBe(true);
  });

  it('keeps it with Rolldown, too', async () => {
    const bundle = await rolldown({
      input: 'program',
      plugins: [
        {
          name: 'program',
          resolveId: (id) => (id === 'program' ? `${packages}program.js` : null),
          load: (id) => (id === `${packages}program.js` ? program(name) : null),
        },
      ],
      ...{ platform: 'node', resolve: { conditionNames: [condition, 'import'] } },
      external: [/^@tensorflow\//, 'webgpu'],
      logLevel: 'silent',
    });
    const { output } = await bundle.generate({ format: 'esm' });
    const code = output.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
    expect(gradients.test(code), 'registers gradients').toBe(true);
  });
});
