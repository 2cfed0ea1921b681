import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchChromium } from './chromium.mjs';

/**
 * Vite as a project has it installed, told nothing of modes: the first part of Vite that runs sets NODE_ENV for its whole process, and
 * parts that run later heed it.
 *
 * @param {string} project - where its packages are.
 * @returns {Promise<typeof import('vite')>}
 */
export async function viteOf(project) {
  delete process.env.NODE_ENV;
  return import(pathToFileURL(createRequire(join(project, 'package.json')).resolve('vite')).href);
}

/** Software that plays a GPU on a busy machine takes minutes for its first answer; milliseconds. */
export const patience = 400_000;

/**
 * Serves the built examples/browser-features and uses it as a visitor would, on the engine that the page chooses and on WebGPU.
 *
 * @param {string} project - where it was built.
 * @param {{ weights?: string | undefined, picture?: string | undefined }} options - an encoder to give to the page; where a picture of
 *   the page goes.
 * @throws AssertionError where the page does not show what it should, or asks for anything outside its origin.
 */
export async function usePage(project, options) {
  const { preview } = await viteOf(project);
  const server = await preview({ root: project, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
  const browser = await launchChromium();
  console.log(`browser-features, used in Chromium ${browser.version()}:`);
  try {
    const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
    const chosen = await visit(browser, `${origin}/`, /^(webgpu|simd): /, (page, first) => use(page, first, options));
    const onGpu = await visit(browser, `${origin}/?engine=webgpu`, /^webgpu: /);
    for (const [i, cosine] of chosen.nearest.entries()) {
      assert.ok(
        Math.abs(cosine - onGpu.nearest[i]) < 0.02,
        `engines agree, got ${chosen.nearest} and ${onGpu.nearest}`,
      );
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * A new page, with what it asks for and complains about.
 *
 * @param {import('playwright-core').Browser} browser
 */
export async function watchedPage(browser) {
  const page = await browser.newPage({ viewport: { width: 940, height: 1000 } });
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const checkRequests = (origin) => {
    const elsewhere = requests.filter((url) => !url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url));
    assert.deepEqual(elsewhere, [], 'no request leaves the origin of the page');
  };
  return { page, requests, complaints, checkRequests };
}

/**
 * One visit.
 *
 * @returns the cosines that the page shows at first.
 */
async function visit(browser, address, engineIs, then = async () => {}) {
  const { page, requests, complaints, checkRequests } = await watchedPage(browser);
  await page.goto(address);
  await ready(page);

  assert.equal(await page.evaluate('crossOriginIsolated'), true, 'the page may share memory between threads');
  const engine = await page.textContent('#engine');
  assert.match(engine, engineIs);
  assert.equal(await page.locator('#pictures figure').count(), 20);
  const first = await shown(page);
  checkCosines(first.views, 8);
  checkCosines(first.nearest, 5);
  assert.deepEqual(
    first.nearest.toSorted((a, b) => b - a),
    first.nearest,
    'the nearest first',
  );
  assert.ok(!(await page.locator('#nearest').textContent()).includes('red stripes'), 'not the picture itself');
  await then(page, first);

  checkRequests(new URL(address).origin);
  assert.deepEqual(complaints, []);
  console.log(`  ${engine}`);
  console.log(`    ${await page.textContent('#status')} ${requests.length} requests, all to its own origin`);
  await page.close();
  return first;
}

/** Asks for other views, chooses another picture and, where there is one, gives the page an encoder. */
async function use(page, first, { weights, picture }) {
  await page.click('#again');
  await ready(page);
  const again = await shown(page);
  assert.notDeepEqual(again.views, first.views, 'new views');
  assert.deepEqual(again.nearest, first.nearest, 'the same picture has the same neighbours');

  await page.click('button.picture:nth-child(8)');
  await ready(page);
  assert.notDeepEqual((await shown(page)).nearest, first.nearest, 'another picture has other neighbours');

  if (weights !== undefined) {
    await page.setInputFiles('#weights', weights);
    await ready(page);
    assert.match(await page.textContent('#encoder'), /\(100 tensors\)/);
  }
  if (picture !== undefined) await page.screenshot({ path: picture, fullPage: true });
}

/** Waits until the page has answered. */
async function ready(page) {
  await page.waitForTimeout(50); // the click is handled
  await page.waitForSelector('#status[data-state=ready], #status[data-state=failed]', { timeout: patience });
  const state = await page.getAttribute('#status', 'data-state');
  assert.equal(state, 'ready', await page.textContent('#status'));
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
