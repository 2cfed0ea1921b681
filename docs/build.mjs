// `npm run docs`: what the pages are made of (API pages, pictures), the site, and checks of every link in it
// and of its width on a phone.
// `npm run docs:dev`: the same parts, then the site as it is being written.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Application } from 'typedoc';
import { build, createServer } from 'vitepress';

const usage = `npm run docs      builds the site into docs/.vitepress/dist and checks its links and widths
npm run docs:dev  serves the site while you write it, at http://localhost:5173
                  -- --port N  serves it at another port

Both build the packages, the API pages and the pictures first.`;

const options = readOptions();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { dev: { type: 'boolean' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help) {
      console.log(usage);
      process.exit();
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}

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

if (options.dev) {
  const server = await createServer(docs, options.port === undefined ? {} : { port: Number(options.port) });
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
