import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { addonPath, findAddon, recordPath } from './find-addon.ts';

let project: string;
// What a machine has installed above its temporary folder is not seen.
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return { ...fs, existsSync: (path: string) => path.startsWith(project) && fs.existsSync(path) };
});

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'find-addon-'));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

/** Puts a package into the project, with or without its addon. */
function install(name: string, { version = '4.22.0', built = false } = {}): string {
  const folder = join(project, 'node_modules', name);
  mkdirSync(join(folder, 'lib', 'napi-v8'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version }));
  if (built) writeFileSync(addonPath(folder), '');
  return folder;
}

it('finds nothing where nothing is installed', () => {
  expect(findAddon([project])).toBeNull();
});

it('tells a package whose addon was not built', () => {
  const folder = install('@tensorflow/tfjs-node');
  expect(findAddon([project])).toMatchObject({
    packageName: '@tensorflow/tfjs-node',
    folder,
    built: false,
    link: null,
  });
});

it('prefers the package for GPUs, unless only the other one has its addon', () => {
  install('@tensorflow/tfjs-node', { built: true });
  const gpu = install('@tensorflow/tfjs-node-gpu', { version: '4.21.0' });
  expect(findAddon([project])?.packageName).toBe('@tensorflow/tfjs-node');
  writeFileSync(addonPath(gpu), '');
  expect(findAddon([project])).toMatchObject({
    packageName: '@tensorflow/tfjs-node-gpu',
    version: '4.21.0',
    built: true,
  });
});

it('reads what was linked', () => {
  const folder = install('@tensorflow/tfjs-node', { built: true });
  const link = { tensorflow: '/venv/tensorflow', version: '2.21.0', installed: true };
  writeFileSync(recordPath(folder), JSON.stringify(link));
  expect(findAddon([project])?.link).toEqual(link);
});

it('looks from every place', () => {
  install('@tensorflow/tfjs-node');
  expect(findAddon([tmpdir(), project])?.packageName).toBe('@tensorflow/tfjs-node');
});
