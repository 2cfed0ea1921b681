import assert from 'node:assert/strict';
import { launchChromium } from './chromium.mjs';
import { patience, viteOf, watchedPage } from './use-page.mjs';

/**
 * Serves the page that trains, by Vite's development server and as it is built, and waits until it has trained.
 *
 * @param {string} project - where its files and packages are.
 * @throws AssertionError where the page does not train, or asks for anything outside its origin.
 */
export async function useTrainingPage(project) {
  const { createServer } = await viteOf(project);
  const at = { port: 0, host: '127.0.0.1' };
  const browser = await launchChromium();
  try {
    const development = await createServer({ root: project, server: at, logLevel: 'error' });
    await development.listen();
    await look(browser, development, 'by the development server').finally(() => development.close());
    const { build, preview } = await viteOf(project);
    await build({ root: project, logLevel: 'error', build: { chunkSizeWarningLimit: 4000 } });
    const built = await preview({ root: project, preview: at, logLevel: 'error' });
    await look(browser, built, 'built').finally(() => built.close());
  } finally {
    await browser.close();
  }
}

async function look(browser, { httpServer }, how) {
  const address = `http://127.0.0.1:${httpServer.address().port}`;
  const { page, complaints, checkRequests } = await watchedPage(browser);
  await page.route('**/favicon.ico', (route) => route.fulfill({ body: '' }));
  await page.goto(address);
  await page.waitForSelector('a[download="encoder.safetensors"]', { timeout: patience });
  const lines = await page.locator('p').allTextContents();
  const losses = lines.flatMap((line) => /^Epoch \d: loss (\d+\.\d+)$/.exec(line)?.[1] ?? []).map(Number);
  assert.match(lines[0], /^Engine (simd|webgpu): /);
  assert.equal(losses.length, 5, `five epochs, got ${lines.join('; ')}`);
  const bytes = await page.evaluate(
    async (link) => (await (await fetch(link)).blob()).size,
    await page.locator('a').getAttribute('href'),
  );
  assert.ok(bytes > 500_000, `the encoder has ${bytes} bytes`);
  checkRequests(address);
  assert.deepEqual(complaints, []);
  console.log(`the page that trains, ${how}: ${lines[0]}; losses ${losses.join(', ')}; ${bytes} bytes of weights`);
  await page.close();
}
