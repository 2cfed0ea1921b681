// Looks at every page of the built site at a phone's width: nothing but code, tables and formulas, in boxes of their own, may be wider.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium, noChromium } from '../scripts/chromium.mjs';

const site = fileURLToPath(new URL('.vitepress/dist', import.meta.url));
const viewport = { width: 390, height: 844 };

/** Shows the text of another page under the styles of this one; returns how wide it is, and the first elements that stick out. */
function show(html) {
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  document.body.replaceWith(body);
  const { scrollWidth } = document.documentElement;
  if (scrollWidth <= innerWidth) return null;
  const out = [...document.querySelectorAll('main *')].filter(
    (element) => element.getBoundingClientRect().right > innerWidth,
  );
  return `${scrollWidth} pixels: ${out.slice(0, 3).map((element) => `<${element.localName}> ${element.textContent.slice(0, 50)}`)}`;
}

/**
 * Checks all pages.
 *
 * @returns {Promise<string>} what was looked at; that it was not where there is no Chromium.
 * @throws Error that lists the pages which are too wide.
 */
export async function checkWidth() {
  if (noChromium !== null) return `Widths were not looked at: ${noChromium}`;
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  const browser = await launchChromium();
  try {
    const page = await browser.newPage({ viewport });
    await page.route('**/*', (route) => {
      const path = join(site, new URL(route.request().url()).pathname);
      return path.endsWith('.js') || !existsSync(path) ? route.abort() : route.fulfill({ path });
    });
    await page.goto('http://site/index.html');
    const wide = [];
    for (const name of pages) {
      const found = await page.evaluate(show, readFileSync(join(site, name), 'utf8'));
      if (found) wide.push(`${name}: ${found}`);
    }
    if (wide.length > 0)
      throw new Error(
        `docs: ${wide.length} pages are wider than a phone's ${viewport.width} pixels:\n${wide.join('\n')}`,
      );
    return `${pages.length} pages fit a phone of ${viewport.width} pixels`;
  } finally {
    await browser.close();
  }
}
