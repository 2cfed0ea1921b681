import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tests run from source: the first condition of every package's `exports` points at its TypeScript files.
const conditions = ['@tfjs-ssl/source'];

const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions } },
};

export default defineConfig({
  ...shared,
  test: {
    globalSetup: ['test/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: [
            'docs/*.test.ts',
            'packages/*/src/**/*.test.ts',
            'examples/*/src/**/*.test.ts',
            'benchmarks/src/**/*.test.ts',
            'test/support/src/**/*.test.ts',
            'test/race/*.test.ts',
            'test/ranks/*.test.ts',
            'test/surface/*.test.ts',
          ],
          exclude: ['packages/engine-webgpu/**'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        ...shared,
        test: {
          // Minutes on a software driver, so not part of `npm test`: the GPU engine's own tests, and the suites of ops and blocks on it.
          // An EfficientNet has so many shaders that its suite alone takes as long; `test/webgpu` trains a small one on faster drivers.
          name: 'webgpu',
          include: [
            'packages/{engine-webgpu,engine,ops,layers,augmentations,losses,projection-heads,resnet,trainer}/src/**/*.test.ts',
            'packages/feed/src/**/*.test.ts',
            'test/webgpu/*.test.ts',
          ],
          exclude: ['packages/engine/src/start-engine.test.ts'],
          env: { ENGINES: 'webgpu', XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir() }, // without it Mesa's drivers complain
          testTimeout: 900_000,
          hookTimeout: 240_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'golden',
          include: ['test/golden/*.golden.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 240_000,
        },
      },
      {
        ...shared,
        // A page built from the packages' dist by Vite, in Chromium: not part of `npm test`.
        test: { name: 'browser', include: ['test/browser/*.test.ts'], testTimeout: 900_000, hookTimeout: 240_000 },
      },
      {
        ...shared,
        // What `npm test` tries three times, a hundred times.
        test: {
          name: 'race',
          include: ['test/race/*.test.ts'],
          env: { RACES: process.env.RACES ?? '100' },
          testTimeout: 600_000,
        },
      },
      {
        ...shared,
        // The example as ranks of MPI jobs, from its dist.
        test: { name: 'ranks', include: ['test/ranks/example/*.test.ts'], testTimeout: 900_000, hookTimeout: 240_000 },
      },
      {
        ...shared,
        test: { name: 'kill', include: ['test/kill/*.test.ts'], testTimeout: 600_000 },
      },
    ],
  },
});
