// `npm run docs`: what the pages are made of (API pages, pictures), the site, and checks of every link in it
// and of its width on a phone.
// `npm run docs:dev`: the same parts, then the site as it is being written.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { build, createServer } from 'vitepress';

const docs = fileURLToPath(new URL('.', import.meta.url));
const start = performance.now();
const step = (name) => console.log(`${name} (after ${((performance.now() - start) / 1000).toFixed(0)} s)`);
process.chdir(docs);

step('Packages');
await import('../scripts/build.mjs');
if (process.exitCode) process.exit();

step('API pages');
rmSync('api', { recursive: true, force: true });
const app = await Application.bootstrapWithPlugins({ options: 'typedoc.config.mjs' });
const project = await app.convert();
if (!project) process.exit(1);
app.validate(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
await app.generateOutputs(project);

step('Pictures');
const { drawPictures } = await import('./pictures/draw.mjs');
await drawPictures(`${docs}public/pictures`);

if (process.argv.includes('--dev')) {
  const server = await createServer(docs);
  await server.listen();
  server.printUrls();
} else {
  step('Pages');
  await build(docs);
  step('Links');
  const { checkLinks } = await import('./check-links.mjs');
  console.log(checkLinks());
  step('Widths');
  const { checkWidth } = await import('./check-width.mjs');
  console.log(await checkWidth());
  step('Done: docs/.vitepress/dist');
  process.exit();
}
