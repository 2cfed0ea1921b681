// Runs tfjs-core's own tests, which its npm package carries, on the engine 'simd'. They are written for a bundler and import each other's
// files: so they and the engine become one file with one copy of tfjs-core.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Jasmine from 'jasmine';
import { rolldown } from 'rolldown';
import { differences, suites } from './suites.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const core = join(root, 'node_modules/@tensorflow/tfjs-core/dist');
// As deep as the engine's sources: it finds its kernels and workers by relative paths.
const folder = join(root, 'packages/engine-simd/tfjs-core-tests');

const entry = `
import '${core}/public/chained_ops/register_all_chained_ops';
import '${core}/register_all_gradients';
import { setTestEnvs } from '${core}/jasmine_util';
import { simdEngine } from '${root}/packages/engine-simd/src/index.ts';
export { simdEngine };
await simdEngine.start({ threads: Number(process.env.THREADS ?? 2) });
setTestEnvs([{ name: 'simd', backendName: 'simd', flags: {}, isDataSync: true }]);
${suites.map((suite) => `await import('${core}/${suite}.js');`).join('\n')}
`;

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
try {
  const source = join(folder, 'entry.mjs');
  await writeFile(source, entry);
  const bundle = await rolldown({
    input: source,
    platform: 'node',
    external: [/^jasmine-core/],
    resolve: {
      conditionNames: ['@tfjs-ssl/source', 'import', 'module', 'default'],
      mainFields: ['module', 'main'],
      alias: {
        '@tensorflow/tfjs-core': join(core, 'index.js'),
        '@tensorflow/tfjs-backend-cpu': join(dirname(dirname(core)), 'tfjs-backend-cpu/dist/index.js'),
        // only imported for the gradients that it registers, which the entry does itself
        '@tensorflow/tfjs-layers': join(core, 'register_all_gradients.js'),
      },
    },
    treeshake: false, // tests have no exports, and tfjs-core calls its modules free of side effects
    logLevel: 'silent',
  });
  await bundle.write({ dir: folder, entryFileNames: 'tests.mjs', chunkFileNames: '[name].mjs', codeSplitting: false });
  const jasmine = new Jasmine();
  jasmine.exitOnCompletion = false;
  jasmine.randomizeTests(false);
  jasmine.configureDefaultReporter({ showColors: false });
  const leftOut = [];
  jasmine.env.configure({
    specFilter: (spec) => {
      const differs =
        /^(avg|max)Pool /.test(spec.getFullName()) && differences.some((end) => spec.getFullName().endsWith(end));
      if (differs) leftOut.push(spec.getFullName());
      return !differs;
    },
  });
  const { simdEngine } = await import(pathToFileURL(join(folder, 'tests.mjs')).href);
  const { overallStatus } = await jasmine.execute();
  await simdEngine.stop();
  if (leftOut.length !== differences.length) throw new Error(`of the differences only these were found: ${leftOut}`);
  console.log(
    `tfjs-core's own tests on the engine 'simd', ${suites.length} files, without ${leftOut.length} known differences: ${overallStatus}`,
  );
  process.exitCode = overallStatus === 'passed' ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
