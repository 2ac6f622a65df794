import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/sequencer.js';

/** What these test is the same whatever the engine is, so that they run once on each. */
const ON_BOTH_ENGINES = [
  'test/api/**/*.test.ts',
  'test/events/**/*.test.ts',
  'test/http/**/*.test.ts',
  'test/client/**/*.test.ts',
  'test/contract.test.ts',
  'test/cli/{migrate,rotate-key,users}.test.ts',
  'test/database/{queries,revocation,secrets}.test.ts',
  'test/workers/workers.test.ts',
  'test/webhooks/{deliveries,key-file}.test.ts',
  'test/machines/**/*.test.ts',
  'test/durability/*races.test.ts',
  'test/durability/{chain,node-kill,webhook-kill}.test.ts',
];

/** Among them, what asks no database, or the local server's in memory. */
const WITHOUT_AN_ENGINE = ['test/client/{bundle,credentials,once-only,webhooks}.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/memory.ts', 'test/support/build.ts'],
    // Loading the server anew for each file took half of the processor time. A test leaves no state behind in modules.
    isolate: false,
    // Node 20's fetch throws out of a timer if a response that nobody read to its end is garbage collected.
    onUnhandledError: ({ stack }) => stack?.includes('onParserTimeout') !== true,
    // Some tests spend most of their time waiting for time-outs of the server.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A second, the default, is too short on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        // Without this, vitest would also run the compiled tests in dist.
        test: {
          name: 'sqlite',
          include: ['test/**/*.test.ts'],
          exclude: ['test/postgres/**', 'test/durability/postgres/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: [...ON_BOTH_ENGINES, 'test/postgres/**/*.test.ts', 'test/durability/postgres/**/*.test.ts'],
          exclude: WITHOUT_AN_ENGINE,
          globalSetup: ['test/support/postgres-server.ts'],
          env: { LATCHKEY_TEST_ENGINE: 'postgres' },
        },
      },
    ],
  },
});
