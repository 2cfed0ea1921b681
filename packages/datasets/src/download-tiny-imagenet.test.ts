import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder, zipBytes } from '../test-support/make-files.ts';
import { downloadTinyImagenet } from './download-tiny-imagenet.ts';

const file = zipBytes([{ name: 'a', bytes: Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251) }]);
const name = 'tiny-imagenet-200.zip';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine; `requests` holds the Range header of each request. */
async function serve(
  answer: Answer,
): Promise<{ url: string; requests: Array<string | undefined>; close: () => Promise<void> }> {
  const requests: Array<string | undefined> = [];
  const server = createServer((request, response) => {
    requests.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Answers with the file or the part asked for; `breakAt` cuts the connection after so many bytes, the first time. */
function rangeServer(options: { breakAt?: number; ignoreRange?: boolean; hang?: boolean } = {}): Answer {
  let { breakAt } = options;
  return (request, response) => {
    const from = options.ignoreRange ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const partial = from > 0 && { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` };
    response.writeHead(partial ? 206 : 200, { 'content-length': file.length - from, ...partial });
    if (breakAt === undefined) {
      response.end(file.subarray(from));
      return;
    }
    response.write(file.subarray(from, from + breakAt), () => {
      if (!options.hang) setTimeout(() => response.destroy(), 20);
    });
    breakAt = undefined;
  };
}

const messageOf = (run: Promise<unknown>, ...cut: string[]) =>
  run.then(
    () => 'no error',
    (error: Error) => cut.reduce((text, part, i) => text.replaceAll(part, `<${i}>`), error.message),
  );

/** A promise, and what keeps it. */
function signal(): [promise: Promise<void>, keep: () => void] {
  let keep = () => {};
  const promise = new Promise<void>((resolve) => {
    keep = resolve;
  });
  return [promise, keep];
}

describe('downloadTinyImagenet', () => {
  it('fetches, reports progress, checks, and does not fetch again', async () => {
    const folder = join(await temporaryFolder(), 'new');
    const { url, requests } = await serve(rangeServer());
    const seen: number[] = [];
    const sha256 = createHash('sha256').update(file).digest('hex');
    const options = { url, folder, sha256, onProgress: ({ received }: { received: number }) => seen.push(received) };
    const path = await downloadTinyImagenet(options);
    expect(path).toBe(join(folder, name));
    expect((await readFile(path)).equals(file)).toBe(true);
    expect(seen.at(-1)).toBe(file.length);
    expect(await downloadTinyImagenet(options)).toBe(path);
    expect(requests).toEqual([undefined]);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('goes on where a broken connection ended', async () => {
    const folder = await temporaryFolder();
    const { url, requests } = await serve(rangeServer({ breakAt: 100_000 }));
    expect(await messageOf(downloadTinyImagenet({ url, folder }), url, folder)).toMatch(
      /^downloadTinyImagenet: the connection to <0> broke \(.+\)\. The part that arrived is in <1>\/tiny-imagenet-200\.zip\.part; run again to continue\.$/,
    );
    expect(await readdir(folder)).toEqual([`${name}.part`]);
    const seen: Array<{ received: number; total: number | null }> = [];
    const path = await downloadTinyImagenet({ url, folder, onProgress: (progress) => seen.push(progress) });
    expect((await readFile(path)).equals(file)).toBe(true);
    expect(requests).toEqual([undefined, 'bytes=100000-']);
    expect(seen[0]!.received).toBeGreaterThan(100_000);
    expect(seen.at(-1)).toEqual({ received: file.length, total: file.length });
  });

  it('starts again where the server ignores Range', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, `${name}.part`), 'old bytes');
    const { url } = await serve(rangeServer({ ignoreRange: true }));
    expect((await readFile(await downloadTinyImagenet({ url, folder }))).equals(file)).toBe(true);
  });

  it('takes a part that is whole, and starts again from one that is too long', async () => {
    for (const part of [file, Buffer.concat([file, file])]) {
      const folder = await temporaryFolder();
      await writeFile(join(folder, `${name}.part`), part);
      const { url } = await serve(rangeServer());
      expect((await readFile(await downloadTinyImagenet({ url, folder }))).equals(file)).toBe(true);
    }
  });

  it('keeps what has arrived when it is aborted', async () => {
    const folder = await temporaryFolder();
    const { url } = await serve(rangeServer({ breakAt: 50_000, hang: true }));
    const controller = new AbortController();
    const onProgress = ({ received }: { received: number }) => {
      if (received === 50_000) controller.abort();
    };
    const running = downloadTinyImagenet({ url, folder, signal: controller.signal, onProgress });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect((await readFile(join(folder, `${name}.part`))).length).toBe(50_000);
    expect((await readFile(await downloadTinyImagenet({ url, folder }))).equals(file)).toBe(true);
  });

  it('is done by one of two at once, which goes on after a broken connection', async () => {
    const folder = await temporaryFolder();
    const answer = rangeServer({ breakAt: 100_000 });
    let [refused, oneIsRefused] = signal();
    const { url, requests } = await serve((...call) => void refused.then(() => answer(...call)));
    const two = async (): Promise<string[]> => {
      [refused, oneIsRefused] = signal();
      const running = [0, 1].map(() => downloadTinyImagenet({ url, folder }));
      await Promise.race(running.map((one) => one.catch(() => {}))); // nobody is answered until one has been refused
      oneIsRefused();
      const results = await Promise.allSettled(running);
      const texts = results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message));
      const plain = (text: string): string =>
        [url, folder].reduce((cut, part, i) => cut.replaceAll(part, `<${i}>`), text).replace(/\(.*\)/, '(WHY)');
      return texts.map((text) => plain(text.replace(/beside process .*, since \S+Z/, 'beside OTHER'))).sort();
    };
    const other = '<1>/tiny-imagenet-200.zip.part must have one writer at a time, got a second one beside OTHER.';
    expect(await two()).toEqual([
      `downloadTinyImagenet: ${other} Wait until it ends, or stop it.`,
      'downloadTinyImagenet: the connection to <0> broke (WHY). The part that arrived is in <1>/tiny-imagenet-200.zip.part; run again to continue.',
    ]);
    expect(await readdir(folder)).toEqual([`${name}.part`]);
    expect(await two()).toEqual([
      '<1>/tiny-imagenet-200.zip',
      `downloadTinyImagenet: ${other} Wait until it ends, or stop it.`,
    ]);
    expect(requests).toEqual([undefined, 'bytes=100000-']);
    expect((await readFile(join(folder, name))).equals(file)).toBe(true);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('says what went wrong', async () => {
    const folder = await temporaryFolder();
    const missing = await serve((_, response) => response.writeHead(404).end('no such page'));
    expect(
      await messageOf(downloadTinyImagenet({ url: missing.url, folder }), missing.url, folder),
    ).toMatchInlineSnapshot(
      `"downloadTinyImagenet: <0> answered 404 Not Found. Check the URL, or put the zip into <1> yourself."`,
    );
    const page = await serve((_, response) => response.end('<html>log in first</html>'));
    expect(await messageOf(downloadTinyImagenet({ url: page.url, folder }), page.url, folder)).toMatchInlineSnapshot(
      `"downloadTinyImagenet: <1>/tiny-imagenet-200.zip.part must be a complete zip. It has been removed; check the URL and run again."`,
    );
    const good = await serve(rangeServer());
    expect(
      await messageOf(downloadTinyImagenet({ url: good.url, folder, sha256: '00' }), good.url, folder),
    ).toMatchInlineSnapshot(
      `"downloadTinyImagenet: <1>/tiny-imagenet-200.zip.part must have SHA-256 00, got 0e6c7ec0f76800a127395f6ed89e377e3f9a7e52129881856311c6ade1528821. It has been removed; check the URL and run again."`,
    );
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, name), 'something else');
    expect(await messageOf(downloadTinyImagenet({ url: good.url, folder }), good.url, folder)).toMatchInlineSnapshot(
      `"downloadTinyImagenet: <1>/tiny-imagenet-200.zip must be a complete zip. Delete it and run again."`,
    );
    expect(
      await messageOf(downloadTinyImagenet({ url: good.url, folder: join(folder, name, 'x') }), folder),
    ).toMatchInlineSnapshot(
      `"downloadTinyImagenet: <0>/tiny-imagenet-200.zip/x cannot be written (ENOTDIR: not a directory, mkdir '<0>/tiny-imagenet-200.zip/x'). Name another folder."`,
    );
  });

  it('says that no server answers', async () => {
    const folder = await temporaryFolder();
    const { url, close } = await serve(() => {});
    await close();
    expect(await messageOf(downloadTinyImagenet({ url, folder }), url)).toMatch(
      /^downloadTinyImagenet: <0> cannot be reached \(connect ECONNREFUSED .+\)\. Check the network, or put the zip into place yourself\.$/,
    );
  });
});
