import { afterAll, beforeAll, beforeEach, type TestAPI, test } from 'vitest';
import { startServer, type TestingServer, type TestingServerOptions } from '../server/index.js';

/** Options of `startServer`, where `testing` is optional. */
export type LatchkeyOptions = Omit<TestingServerOptions, 'testing'> & Partial<Pick<TestingServerOptions, 'testing'>>;

/**
 * Starts one local server for all tests of the file, or of the enclosing `describe`. The server is reset to its seed before
 * each test and closed after the last one. Call this at the top of the file or of a `describe`, and use the server in tests
 * and hooks. For concurrent tests, use `latchkeyPerTest`.
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

  // The server does not run yet when vitest collects the tests, so each member is read when it is used.
  return new Proxy({} as TestingServer, {
    get(_, name) {
      if (running === undefined) throw new Error('the local server runs in tests and hooks only');
      return Reflect.get(running, name) as unknown;
    },
    has: (_, name) => running !== undefined && name in running,
  });
}

/**
 * Returns a `test` with the fixture `latchkey`: a local server for each test that uses it, closed after the test. Use this
 * for concurrent tests.
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
    // vitest requires a pattern here; the empty one asks for no other fixture.
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
