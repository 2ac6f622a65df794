import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Without this, compiled tests in dist would be collected too.
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
