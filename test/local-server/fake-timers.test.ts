import { createServer } from 'node:http';
import { LegacyFakeTimers, ModernFakeTimers } from '@jest/fake-timers';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { createVerifier } from '../../client/middleware/index.js';
import { startServer } from '../../server/index.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { plaintextOf, SEED } from '../support/local-server.js';
import { rejectionOf } from '../support/rejection.js';

// Jest replaces `process.nextTick` too, but of a copy that its tests see.
const jestGlobal = new Proxy(globalThis, {
  get: (target, name) => (name === 'process' ? jestProcess : (Reflect.get(target, name) as unknown)),
});
const jestProcess = Object.create(process) as NodeJS.Process;
const config = { rootDir: '/', testMatch: [] };

const KINDS: [string, () => () => void][] = [
  ["vitest's fake timers", () => useVitest()],
  ["vitest's fake timers at another date", () => useVitest({ now: new Date('2099-01-01') })],
  [
    "Jest's modern fake timers",
    () => {
      const timers = new ModernFakeTimers({ global: jestGlobal, config } as unknown as ConstructorParameters<
        typeof ModernFakeTimers
      >[0]);
      // The `fetch` of Jest's tests comes from outside of them, where microtasks are real.
      timers.useFakeTimers({ doNotFake: ['queueMicrotask'] });
      return () => {
        timers.useRealTimers();
      };
    },
  ],
  [
    "Jest's legacy fake timers",
    () => {
      const timerConfig = { idToRef: toTimer, refToId: ({ id }: Timer) => id };
      const parts = { global: jestGlobal, moduleMocker: vi, timerConfig, config };
      const timers = new LegacyFakeTimers<Timer>(
        parts as unknown as ConstructorParameters<typeof LegacyFakeTimers<Timer>>[0],
      );
      timers.useFakeTimers();
      return () => {
        timers.useRealTimers();
      };
    },
  ],
];

interface Timer {
  id: number;
  ref(): Timer;
  unref(): Timer;
}

/** As Jest's environment of Node has them. */
function toTimer(id: number): Timer {
  const timer = { id, ref: () => timer, unref: () => timer };
  return timer;
}

function useVitest(options?: Parameters<typeof vi.useFakeTimers>[0]) {
  vi.useFakeTimers(options);
  return () => vi.useRealTimers();
}

let stopFaking: (() => void) | undefined;

afterEach(() => {
  stopFaking?.();
  stopFaking = undefined;
});

describe.each(KINDS)('under %s', (_, fake) => {
  const server = latchkeyPerFile({ testing: { seed: SEED } });

  function begin(): void {
    stopFaking = fake();
    setTimeout(() => expect.unreachable('the timers are not fake'), 0);
  }

  test('plain node:http answers a fetch', async () => {
    const plain = createServer((_request, response) => response.end('plain')).listen(0, '127.0.0.1');
    onTestFinished(() => void plain.close());
    await vi.waitUntil(() => plain.listening);
    const { port } = plain.address() as { port: number };
    begin();
    expect(await (await fetch(`http://127.0.0.1:${String(port)}/`)).text()).toBe('plain');
  });

  test('the local server, its client and its control work', async () => {
    begin();
    const lk = server.client('deploy');
    expect((await lk.getMe()).user.email).toBe('ada@example.org');
    const { token } = await lk.createAccessToken({ body: { name: 'made under fake timers' } });
    // The real time: a test moves the service's by `clock`.
    expect(Math.abs(Date.parse(token.createdAt) - server.clock.now())).toBeLessThan(60_000);
    expect(token.createdAt.slice(0, 4)).not.toBe('2099');
    await server.client(null).logIn({ username: 'ada@example.org', password: 'correct horse' });
    const snapshot = await server.snapshot();
    await server.reset();
    expect((await lk.listAccessTokens()).items.map(({ name }) => name)).not.toContain(token.name);
    await server.restore(snapshot);
    expect((await lk.getAccessToken({ path: { token_id: token.id } })).name).toBe(token.name);
    await server.requests.waitFor(({ operationId }) => operationId === 'getAccessToken');
  });

  test('delays, time-outs and pauses take their time', async () => {
    begin();
    const { baseUrl, token } = server.connection('deploy');
    const lk = createLatchkey({ baseUrl, token, timeoutMs: 100, maxRetries: 1 });
    server.faults.add({ operationId: 'getMe', delayMs: 20 });
    server.faults.add({ operationId: 'getMe', delayMs: 10_000 });
    server.faults.add({ operationId: 'getMe', status: 503, retryAfterSeconds: 0 });
    await lk.getMe();
    expect(await rejectionOf(lk.getMe({ maxRetries: 0 }))).toMatchObject({ code: 'timeout' });
    await lk.getMe();
    await expect(server.requests.waitFor(() => false, { timeoutMs: 20 })).rejects.toThrow(
      'no matching request within 20 ms',
    );
  });

  test('a verifier asks, shares, keeps and gives up', async () => {
    begin();
    const token = plaintextOf(server, 'deploy bot');
    const verifier = createVerifier({ baseUrl: server.url, token, cacheSeconds: 60, timeoutMs: 500 });
    const verdicts = await Promise.all([1, 2, 3].map(() => verifier.verify(token)));
    expect(verdicts.map(({ valid }) => valid)).toEqual([true, true, true]);
    server.faults.add({ operationId: 'verifyAccessToken', delayMs: 10_000 });
    expect(await verifier.verify(token)).toMatchObject({ valid: true });
    await expect(verifier.verify(token, { scopes: ['tokens:read'] })).rejects.toMatchObject({ status: 503 });
  });

  test('a server starts and stops', async () => {
    begin();
    const other = await startServer({ testing: {} });
    const health = await other.client(null).getReadiness();
    await other.close();
    expect(health.status).toBe('ready');
  });

  test('an ordinary server serves, logs in and drains', async () => {
    begin();
    const other = await startServer({
      port: 0,
      database: ':memory:',
      adminPassword: 'correct horse',
      logLevel: 'silent',
    });
    const lk = createLatchkey({ baseUrl: other.url });
    await lk.logIn({ username: other.firstUser?.email ?? '', password: 'correct horse' });
    await lk.createAccessToken({ body: { name: 'a' } });
    await other.close();
  });

  test('and later tests of that server go on', async () => {
    await server.client('deploy').getMe();
  });
});

describe('where microtasks are fake too, which stops `fetch`', () => {
  const server = latchkeyPerFile({ testing: { seed: SEED } });

  test('a verifier of Node asks all the same', async () => {
    const token = plaintextOf(server, 'deploy bot');
    stopFaking = useVitest({ toFake: ['setTimeout', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] });
    expect(await createVerifier({ baseUrl: server.url, token }).verify(token)).toMatchObject({ valid: true });
  });
});
