import { describe, expect, it } from 'vitest';
import { type Rival, startRival } from './rival.ts';

const node = (code: string) => startRival<{ name: string }>([process.execPath, '-e', code]);
const echo = `
  console.log('{"name": "echo"}');
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { value, end } = JSON.parse(line);
    if (end) { console.error('as asked'); process.exit(3); }
    console.log(value === undefined ? 'nothing' : JSON.stringify({ value: value * 2 }));
  });`;

async function running(code: string): Promise<Rival<{ name: string }>> {
  const rival = await node(code);
  if ('missing' in rival) throw new Error(rival.missing);
  return rival;
}

describe('startRival', () => {
  it('asks and gets answers', async () => {
    const rival = await running(echo);
    expect(rival.hello).toEqual({ name: 'echo' });
    expect(await rival.ask({ value: 4 })).toEqual({ value: 8 });
    expect(await rival.ask({ value: 5 })).toEqual({ value: 10 });
    rival.stop();
  });

  it('says how the process ended', async () => {
    const rival = await running(echo);
    await expect(rival.ask({ end: true })).rejects.toThrow(/ended \(exit code 3\):\nas asked$/);
  });

  it('says what it got where that is not JSON', async () => {
    const rival = await running(echo);
    await expect(rival.ask({})).rejects.toThrow(/must answer with a line of JSON, got: nothing$/);
    rival.stop();
  });

  it('gives the reason of a rival that cannot work', async () => {
    expect(await node(`console.log('{"missing": "no torch"}')`)).toEqual({ missing: 'no torch' });
  });

  it('gives the reason of a program that is not there or does not start', async () => {
    const absent = await startRival(['/nonexistent/python']);
    expect(absent).toEqual({ missing: '/nonexistent/python cannot be started: spawn /nonexistent/python ENOENT' });
    const failing = await node('process.exitCode = 7');
    expect((failing as { missing: string }).missing).toMatch(/ended \(exit code 7\)$/);
  });
});
