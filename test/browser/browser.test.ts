import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import type { Browser } from 'playwright-core';
import { build, createServer, type PreviewServer, preview, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium, noChromium } from '../../scripts/chromium.mjs';
import type { Answer, Question } from './src/answer.ts';
import { type Training, train } from './src/train.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-browser-'));
const outDir = join(folder, 'dist');

/** What gives a page threads, and a policy as strict as a page with WebAssembly can have. */
const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const strict = {
  'Content-Security-Policy': "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
};

let browser: Browser;
/** Training on this engine in Node. */
let inNode: Training;

beforeAll(async () => {
  if (noChromium !== null) return;
  await build({
    ...common,
    build: { outDir, emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 4000 },
  });
  browser = await launchChromium();
  await simdEngine.start({ threads: 2 });
  inNode = await train();
  await simdEngine.stop();
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

type Headers = Record<string, string>;

const common = { root, configFile: false, logLevel: 'error' } as const;

/** Serves what was built. */
const built = (headers: Headers): Promise<PreviewServer> =>
  preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1', headers } });

/** Serves the sources and the linked packages one by one, as a project that is being written does. */
async function development(headers: Headers): Promise<ViteDevServer> {
  const cacheDir = join(folder, 'cache');
  const server = await createServer({
    ...common,
    cacheDir,
    server: { port: 0, host: '127.0.0.1', headers, hmr: false },
  });
  return server.listen();
}

/** Opens the page, served with these headers, and asks it. */
async function ask(
  headers: Headers,
  question: Question,
  where: 'worker' | 'page' = 'worker',
  serve: (headers: Headers) => Promise<PreviewServer | ViteDevServer> = built,
): Promise<{ answer: Answer; requests: string[]; complaints: string[] }> {
  const server = await serve(headers);
  const page = await browser.newPage();
  try {
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
        complaints.push(message.text());
    });
    const { port } = (server.httpServer as Server).address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction(() => document.title === 'ready');
    page.setDefaultTimeout(0); // software that plays a GPU takes minutes
    const answer: Answer = await page.evaluate(
      ([question, where]) =>
        (globalThis as unknown as { train(question: Question, where: string): Promise<Answer> }).train(question, where),
      [question, where] as const,
    );
    return { answer, requests, complaints };
  } finally {
    await page.close();
    await server.close();
  }
}

const workerFile = /\/kernel-worker-[^/]+\.js$/;

describe('a page trains as Node does', () => {
  beforeEach(({ skip }) => skip(noChromium !== null, noChromium ?? ''));

  it.each([2, 1])('bit for bit in a web worker of an isolated page, %i threads', async (threads) => {
    const headers = { ...isolated, ...strict };
    const { answer, requests, complaints } = await ask(headers, { engine: 'simd', options: { threads } });
    expect(complaints).toEqual([]);
    expect(answer).toEqual({
      ...inNode,
      threads,
      isolated: true,
      device: expect.stringContaining(`${threads} thread`),
    });
    expect(requests.filter((url) => workerFile.test(url)).length).toBe(threads - 1);
  });

  it('bit for bit on its own thread, which must not sleep', async () => {
    const question: Question = { engine: 'simd', options: { threads: 2 } };
    const { answer, complaints } = await ask({ ...isolated, ...strict }, question, 'page');
    expect(complaints).toEqual([]);
    expect(answer).toMatchObject({ ...inNode, threads: 2 });
  });

  it("bit for bit from Vite's development server, which serves every module that is imported", async () => {
    const question: Question = { engine: 'simd', options: { threads: 2 } };
    const { answer, complaints } = await ask(isolated, question, 'page', development);
    expect(complaints).toEqual([]);
    expect(answer).toMatchObject({ ...inNode, threads: 2 });
  });

  it('bit for bit where memory cannot be shared, with one thread', async () => {
    const { answer, complaints } = await ask(strict, { engine: 'simd' });
    expect(complaints).toEqual([]);
    expect(answer).toMatchObject({ ...inNode, threads: 1, isolated: false });
    expect('device' in answer && answer.device).toMatch(/, 1 thread, memory not shared$/);
  });

  it('and says what threads need where it is not isolated', async () => {
    const { answer } = await ask(strict, { engine: 'simd', options: { threads: 2 } });
    expect('error' in answer && answer.error).toContain(
      'serve the page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
    );
  });

  it('and says that its threads could not be started where a policy refuses them', async () => {
    const policy = strict['Content-Security-Policy'].replace("worker-src 'self'", "worker-src 'none'");
    const headers = { ...isolated, 'Content-Security-Policy': policy };
    const { answer, complaints } = await ask(headers, { engine: 'simd', options: { threads: 2 } }, 'page');
    expect(answer).toEqual({
      error: expect.stringContaining('a worker thread could not be started (its file was refused'),
    });
    expect(complaints).toEqual([expect.stringContaining('Content Security Policy')]);
  });

  it('within float32 tolerance on WebGPU', async () => {
    const { answer, complaints } = await ask(strict, { engine: 'webgpu', options: { softwareAdapter: true } });
    expect(complaints).toEqual([]);
    if ('error' in answer) throw new Error(answer.error);
    console.log(
      `webgpu in Chromium ${browser.version()} on ${answer.device}: ${answer.losses}; in Node ${inNode.losses}`,
    );
    answer.losses.forEach((loss, step) => {
      expect(Math.abs(loss - inNode.losses[step]!), `loss of step ${step}`).toBeLessThan(1e-4);
    });
  });
});
