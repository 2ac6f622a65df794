import { afterAll, beforeAll, beforeEach, type TestAPI, test } from 'vitest';
import { startServer, type TestingServer, type TestingServerOptions } from '../server/index.js';

/** The options of `startServer`; `testing` may be left out. */
export type LatchkeyOptions = Omit<TestingServerOptions, 'testing'> & Partial<Pick<TestingServerOptions, 'testing'>>;

/**
 * Starts one local server for all tests of the file, or of the enclosing `describe`. Before each test it is back at its
 * seed; after the last it is closed. To be called where hooks are registered, and used in tests and hooks; for tests that
 * run concurrently, see `latchkeyPerTest`.
 *
 * ```ts
 * const server = latchkeyPerFile({ testing: { seed } });
 *
 * test('a token is listed', async () => {
 *   const response = await fetch(`${server.url}/api/v1/access-tokens`, ...);
 * });
 * ```
 */
export function latchkeyPerFile(options: LatchkeyOptions = {}): TestingServer {
  let running: TestingServer | undefined;
  beforeAll(async () => {
    running = await start(options);
  });
  beforeEach(async () => {
    await running?.reset();
  });
  afterAll(async () => {
    await running?.close();
    running = undefined;
  });

  // Of the server there is nothing yet when a file is collected: each member is looked up when it is used.
  return new Proxy({} as TestingServer, {
    get(_, name) {
      if (running === undefined) throw new Error('the local server runs in tests and hooks only');
      return Reflect.get(running, name) as unknown;
    },
    has: (_, name) => running !== undefined && name in running,
  });
}

/**
 * A `test` whose fixture `latchkey` is a local server of each test's own, started when a test asks for it and closed
 * after it: for tests that run concurrently.
 *
 * ```ts
 * const test = latchkeyPerTest({ testing: { seed } });
 *
 * test.concurrent('a token is listed', async ({ latchkey }) => {
 *   const response = await fetch(`${latchkey.url}/api/v1/access-tokens`, ...);
 * });
 * ```
 */
export function latchkeyPerTest(options: LatchkeyOptions = {}): TestAPI<{ latchkey: TestingServer }> {
  return test.extend<{ latchkey: TestingServer }>({
    // The empty pattern is vitest's way of asking for no other fixture.
    latchkey: async ({}, use) => {
      const server = await start(options);
      try {
        await use(server);
      } finally {
        await server.close();
      }
    },
  });
}

function start({ testing = {}, ...options }: LatchkeyOptions): Promise<TestingServer> {
  return startServer({ ...options, testing });
}
