import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

/** A page on a busy machine may take its time; milliseconds. */
const patience = 120_000;

/**
 * Serves the built examples/browser-features and uses it as a visitor would.
 *
 * @param {string} project - where it was built.
 * @param {string} executablePath - the browser.
 * @param {{ weights?: string | undefined, picture?: string | undefined }} options - an encoder to give to the page; where a picture of
 *   the page goes.
 * @throws AssertionError where the page does not show what it should, or asks for anything outside its origin.
 */
export async function usePage(project, executablePath, { weights, picture }) {
  const vite = pathToFileURL(createRequire(join(project, 'package.json')).resolve('vite')).href;
  const { preview } = await import(vite);
  const server = await preview({ root: project, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  try {
    const { port } = server.httpServer.address();
    const origin = `http://127.0.0.1:${port}`;
    const page = await browser.newPage({ viewport: { width: 940, height: 1000 } });
    const requests = [];
    const complaints = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(origin);
    await ready(page, complaints);

    assert.equal(await page.evaluate('crossOriginIsolated'), true, 'the page may share memory between threads');
    const engine = await page.textContent('#engine');
    assert.match(engine, /^(webgpu|simd): /, `the page computes on a fast engine, got ${engine}`);
    assert.equal(await page.locator('#pictures figure').count(), 20);
    const { views, nearest } = await shown(page);
    checkCosines(views, 8);
    checkCosines(nearest, 5);
    assert.deepEqual(
      [...nearest].sort((a, b) => b - a),
      nearest,
      'the nearest first',
    );
    assert.ok(!(await page.locator('#nearest').textContent()).includes('red stripes'), 'not the picture itself');

    await page.click('#again');
    await ready(page, complaints);
    const again = await shown(page);
    assert.notDeepEqual(again.views, views, 'new views');
    assert.deepEqual(again.nearest, nearest, 'the same picture has the same neighbours');

    await page.click('button.picture:nth-child(8)');
    await ready(page, complaints);
    assert.notDeepEqual((await shown(page)).nearest, nearest, 'another picture has other neighbours');

    if (weights !== undefined) {
      await page.setInputFiles('#weights', weights);
      await ready(page, complaints);
      assert.match(await page.textContent('#encoder'), /\(100 tensors\)/);
    }
    if (picture !== undefined) await page.screenshot({ path: picture, fullPage: true });
    const elsewhere = requests.filter((url) => !url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url));
    assert.deepEqual(elsewhere, [], 'no request leaves the origin of the page');
    assert.deepEqual(complaints, []);
    console.log(`browser-features, used in Chromium ${browser.version()}: ${engine}`);
    console.log(`  ${await page.textContent('#status')} ${requests.length} requests, all to its own origin`);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Waits until the page has answered. */
async function ready(page, complaints) {
  await page.waitForTimeout(50); // the click is handled
  await page.waitForSelector('#status[data-state=ready], #status[data-state=failed]', { timeout: patience });
  const state = await page.getAttribute('#status', 'data-state');
  assert.equal(state, 'ready', `${await page.textContent('#status')}\n${complaints.join('\n')}`);
}

/** The cosines that the page shows. */
async function shown(page) {
  const cosines = async (id) =>
    (await page.locator(`#${id} figcaption`).allTextContents()).map((text) => Number(text.match(/-?\d\.\d{3}$/)?.[0]));
  return { views: await cosines('views'), nearest: await cosines('nearest') };
}

function checkCosines(values, count) {
  assert.equal(values.length, count);
  for (const value of values) assert.ok(value >= -1 && value <= 1, `a cosine, got ${value}`);
}
