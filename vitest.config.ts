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
            'packages/*/src/**/*.test.ts',
            'examples/*/src/**/*.test.ts',
            'benchmarks/src/**/*.test.ts',
            'test/support/src/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'golden',
          include: ['test/golden/*.golden.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: { name: 'kill', include: ['test/kill/*.test.ts'], testTimeout: 600_000 },
      },
    ],
  },
});
