import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Without this, vitest would also run the compiled tests in dist.
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    // Some tests spend most of their time waiting for time-outs of the server.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
