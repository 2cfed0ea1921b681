import type { Browser } from 'playwright-core';

/** Why no browser can be started here, or null. */
export const noChromium: string | null;

/** Starts the installed Chromium, headless. */
export function launchChromium(): Promise<Browser>;
