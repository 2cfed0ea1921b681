import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where Debian and others put the browser. */
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** Chromium without anything that asks the network, and with software that plays a GPU for whoever asks for one. */
const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

/** Why no browser can be started here, or null. */
export const noChromium =
  executablePath === undefined
    ? 'there is no Chromium here (looked in /usr/bin). Install it: apt-get install chromium'
    : null;

/** Starts the installed Chromium, headless. */
export function launchChromium() {
  return chromium.launch({ ...(executablePath !== undefined && { executablePath }), args });
}
