import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium } from './chromium.mjs';
import { patience, viteOf, watchedPage } from './use-page.mjs';

/**
 * Serves the page that the site tells to write by Vite's development server, as it tells to, and looks at what it shows; then again
 * with an encoder that was trained.
 *
 * @param {string} project - where its files and packages are.
 * @param {string | undefined} weights - the encoder; without it the page is looked at once.
 * @throws AssertionError where the page does not show what it should, or asks for anything outside its origin.
 */
export async function useDocsPage(project, weights) {
  const { createServer } = await viteOf(project);
  const server = await createServer({ root: project, server: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
  const browser = await launchChromium();
  try {
    await server.listen();
    const address = `http://127.0.0.1:${server.httpServer.address().port}`;
    const untrained = await look(browser, address);
    if (weights !== undefined) {
      useTrainedEncoder(project, weights);
      const trained = await look(browser, address);
      assert.notEqual(trained, untrained, 'another encoder sees other likeness');
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Changes main.js as the site says. */
function useTrainedEncoder(project, weights) {
  mkdirSync(join(project, 'public'));
  copyFileSync(weights, join(project, 'public/model.safetensors'));
  const main = readFileSync(join(project, 'main.js'), 'utf8');
  const changed = main.replace(/^const encoder = .*$/m, 'const encoder = await trainedEncoder(size);');
  assert.notEqual(changed, main, 'main.js makes an encoder');
  writeFileSync(join(project, 'main.js'), `import { trainedEncoder } from './trained-encoder.js';\n${changed}`);
}

/** Opens the page and returns the line of cosines. */
async function look(browser, address) {
  const { page, complaints, checkRequests } = await watchedPage(browser);
  await page.route('**/favicon.ico', (route) => route.fulfill({ body: '' }));
  await page.goto(address);
  await page.waitForSelector('p:has-text("Views of the first") ~ canvas', { timeout: patience });
  const [engine, cosines] = await page.locator('p').allTextContents();
  assert.equal(await page.locator('canvas').count(), 9, 'three pictures and six views');
  assert.match(engine, /^Engine (simd|webgpu): /);
  const [itself, alike, other] = cosines.match(/-?\d\.\d\d/g).map(Number);
  assert.equal(itself, 1);
  assert.ok(alike > other, `the two discs are more alike than disc and stripes, got ${cosines}`);
  checkRequests(address);
  assert.deepEqual(complaints, []);
  console.log(`the page of the site, by Vite's development server: ${engine}; ${cosines}`);
  await page.close();
  return cosines;
}
