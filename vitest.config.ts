import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Without this, compiled tests in dist would be collected too.
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    // Some wait most of their time, for time-outs of the server.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
