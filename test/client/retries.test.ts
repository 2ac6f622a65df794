import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLatchkey, type Latchkey, type LatchkeyOptions } from '../../client/index.js';
import { createVerifier } from '../../client/middleware/index.js';
import { type Answering, EMPTY_PAGE, JSON_TYPE, serveAnswers } from '../support/answers.js';
import { UNKNOWN_TOKEN } from '../support/plaintext.js';
import { rejectionOf } from '../support/rejection.js';
import { startService } from '../support/service.js';

const UNAVAILABLE: Answering = {
  status: 503,
  headers: JSON_TYPE,
  body: '{"detail":"The database is not available.","code":"service_unavailable"}',
};

describe('on real connections', () => {
  test.each<[string, Answering]>([
    ['a 503', UNAVAILABLE],
    ["a gateway's empty 502", { status: 502 }],
    ['a 429', { status: 429, headers: { ...JSON_TYPE, 'Retry-After': '0' }, body: '{"detail":"Wait."}' }],
    ['a dropped connection', 'drop'],
    ['an answer that breaks off', 'cut'],
  ])('%s is repeated', async (_, fault) => {
    const { url, received } = await serveAnswers(fault, EMPTY_PAGE);
    const lk = createLatchkey({ baseUrl: url, token: 'the-token' });
    expect(await lk.listAccessTokens({ query: { limit: 5 } })).toEqual({ items: [], nextCursor: null });
    const sent = received.map(({ method, path, headers }) => [method, path, headers.authorization]);
    expect(sent).toEqual(Array(2).fill(['GET', '/api/v1/access-tokens?limit=5', 'Bearer the-token']));
  });

  test('an attempt that takes too long is given up and repeated, and is a time-out in the end', async () => {
    const { url, received } = await serveAnswers('hang');
    const lk = createLatchkey({ baseUrl: url, timeoutMs: 40, maxRetries: 1 });
    const error = await rejectionOf(lk.getHealth());
    expect(error).toMatchObject({ code: 'timeout', status: undefined, message: 'No answer within 40 milliseconds.' });
    expect(received).toHaveLength(2);
  });

  test('a repeated revocation of an access token that had already happened succeeds', async () => {
    const service = await startService();
    const { token } = await service.admin();
    let lost = 0;
    const lk = createLatchkey({
      baseUrl: service.url,
      token,
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        if (init.method === 'DELETE' && ++lost === 1) throw new TypeError('the answer was lost');
        return answer;
      },
    });
    const { token: created } = await lk.createAccessToken({ body: { name: 'a' } });
    await lk.revokeAccessToken({ path: { token_id: created.id } });
    expect(lost).toBe(2);
  });

  test.each<[string, (lk: Latchkey, signal: AbortSignal) => Promise<unknown>]>([
    ['an attempt', (lk, signal) => lk.getHealth({ signal })],
    ['the pause between two', (lk, signal) => lk.getReadiness({ signal })],
    ['an iteration', (lk, signal) => lk.accessTokens.all({ signal }).next()],
  ])('aborting during %s rejects with an AbortError at once', async (_, call) => {
    const { url, received } = await serveAnswers(
      { ...UNAVAILABLE, headers: { ...JSON_TYPE, 'Retry-After': '30' } },
      'hang',
    );
    const lk = createLatchkey({ baseUrl: url });
    const controller = new AbortController();
    const calling = call(lk, controller.signal);
    await vi.waitFor(() => {
      expect(received).not.toEqual([]);
    });
    controller.abort();
    await expect(calling).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('on a clock of their own', () => {
  // The client keeps the timers that it was loaded with.
  let client: typeof import('../../client/index.js');
  beforeEach(async () => {
    vi.useFakeTimers();
    vi.resetModules();
    client = await import('../../client/index.js');
    vi.spyOn(Math, 'random').mockReturnValue(0);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    // The tests of other files must not get the client with these timers.
    vi.resetModules();
  });

  /** A client whose every attempt is answered by `answer`, and the instants of its attempts in milliseconds. */
  function startClient(answer: () => Response | Promise<Response>, options: Partial<LatchkeyOptions> = {}) {
    const start = Date.now();
    const attempts: number[] = [];
    const lk = client.createLatchkey({
      baseUrl: 'https://tokens.example.org',
      fetch: async () => {
        attempts.push(Date.now() - start);
        return await answer();
      },
      ...options,
    });
    return { lk, attempts };
  }

  const failure =
    (status: number, headers: Record<string, string> = {}) =>
    () =>
      new Response('', { status, headers });

  async function settle(call: Promise<unknown>): Promise<void> {
    const settled = call.catch(() => undefined);
    await vi.runAllTimersAsync();
    await settled;
  }

  test('two retries come after half a second and a second more', async () => {
    const { lk, attempts } = startClient(failure(503));
    await settle(lk.getHealth());
    expect(attempts).toEqual([0, 500, 1_500]);
  });

  test('the pauses double up to eight seconds', async () => {
    const { lk, attempts } = startClient(failure(500), { maxRetries: 7 });
    await settle(lk.getHealth());
    expect(attempts).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 23_500, 31_500]);
  });

  test('up to a quarter of a pause is left out at random', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    const { lk, attempts } = startClient(failure(504));
    await settle(lk.getHealth());
    expect(attempts).toEqual([0, 375, 1_125]);
  });

  test('a pause is never shorter than Retry-After, in seconds or as a date', async () => {
    const inSeconds = startClient(failure(429, { 'Retry-After': '7' }), { maxRetries: 1 });
    await settle(inSeconds.lk.getHealth());
    expect(inSeconds.attempts).toEqual([0, 7_000]);

    vi.setSystemTime(Date.parse('2030-06-15T12:00:00Z'));
    const asDate = startClient(failure(503, { 'Retry-After': 'Sat, 15 Jun 2030 12:00:09 GMT' }), { maxRetries: 1 });
    await settle(asDate.lk.getHealth());
    expect(asDate.attempts).toEqual([0, 9_000]);
  });

  test.each<[string, string, number | undefined]>([
    ['more than a minute', '61', 61],
    ['a fraction more than a minute', '60.5', 60.5],
    ['until a date that is more than a minute away', 'Sat, 15 Jun 2030 12:01:01 GMT', 61],
    ['more seconds than there are numbers', '9'.repeat(400), undefined],
    ['a word', 'soon', undefined],
    ['a word and a number, which could be taken for a date', 'soon 1', undefined],
    ['less than nothing', '-1', undefined],
    ['two times', '5, 10', undefined],
    ['infinity', 'Infinity', undefined],
    ['not a number', 'NaN', undefined],
    ['nothing', '', undefined],
    ['a date that is none', 'Sat, 99 Jun 2030 12:00:09 GMT', undefined],
  ])('who is asked to wait %s is told so at once', async (_, value, seconds) => {
    vi.setSystemTime(Date.parse('2030-06-15T12:00:00Z'));
    const { lk, attempts } = startClient(failure(503, { 'Retry-After': value }));
    await expect(lk.getHealth()).rejects.toMatchObject({ name: 'LatchkeyError', retryAfterSeconds: seconds });
    expect(attempts).toEqual([0]);
  });

  test('a date that is over is no reason to wait longer', async () => {
    vi.setSystemTime(Date.parse('2030-06-15T12:00:00Z'));
    const past = failure(503, { 'Retry-After': 'Sat, 15 Jun 2030 11:00:00 GMT' });
    const { lk, attempts } = startClient(past, { maxRetries: 1 });
    await settle(lk.getHealth());
    expect(attempts).toEqual([0, 500]);
  });

  test('an attempt gets thirty seconds by default, and a call may say otherwise', async () => {
    const { lk, attempts } = startClient(() => new Promise(() => undefined), { maxRetries: 1 });
    await settle(lk.getHealth());
    await settle(lk.getHealth({ timeoutMs: 1_000 }));
    expect(attempts).toEqual([0, 30_500, 60_500, 62_000]);
  });

  test.each([408, 429, 500, 502, 503, 504])('a status %i is repeated', async (status) => {
    const { lk, attempts } = startClient(failure(status));
    await settle(lk.listAccessTokens());
    expect(attempts).toHaveLength(3);
  });

  test.each([200, 400, 401, 403, 404, 409, 422, 501])('a status %i is not', async (status) => {
    const { lk, attempts } = startClient(failure(status));
    await settle(lk.listAccessTokens());
    expect(attempts).toHaveLength(1);
  });

  const id = { token_id: '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b' };

  test.each<[string, number, (lk: Latchkey) => Promise<unknown>]>([
    ['a GET is sent', 3, (lk) => lk.getMe()],
    ['a DELETE is sent', 3, (lk) => lk.revokeAccessToken({ path: id })],
    ['a POST is sent', 1, (lk) => lk.logOut()],
    ['a verification is sent', 3, (lk) => lk.verifyAccessToken({ body: { token: 'a' } })],
    ['a verification of several is sent', 3, (lk) => lk.verifyAccessTokens({ body: { tokens: [{ token: 'a' }] } })],
    ['an introspection is sent', 3, (lk) => lk.introspectToken({ body: { token: 'a' } })],
    ['a revocation by plaintext is sent', 3, (lk) => lk.revokeOAuthToken({ body: { token: 'a' } })],
    ['a PATCH is sent', 1, (lk) => lk.updateAccessToken({ path: id, body: { name: 'a' } })],
    ['a creation is sent', 3, (lk) => lk.createAccessToken({ body: { name: 'a' } })],
    ['a rotation is sent', 3, (lk) => lk.rotateAccessToken({ path: id })],
    ['a login is sent', 1, (lk) => lk.logIn({ username: 'ada@example.org', password: 'a password' })],
    [
      'what the service does not do once and only once is sent, whatever its headers,',
      1,
      (lk) => lk.updateAccessToken({ path: id, body: { name: 'a' }, headers: { 'idempotency-key': 'once' } }),
    ],
    ['a call that wants no retries is sent', 1, (lk) => lk.getMe({ maxRetries: 0 })],
  ])('%s %i times', async (_, times, call) => {
    for (const answer of [failure(503), () => Promise.reject(new TypeError('fetch failed'))]) {
      const { lk, attempts } = startClient(answer);
      await settle(call(lk));
      expect(attempts).toHaveLength(times);
    }
  });

  test('retries are off with 0 for the whole client', async () => {
    const { lk, attempts } = startClient(failure(503), { maxRetries: 0 });
    await settle(lk.getHealth());
    expect(attempts).toEqual([0]);
  });

  test('a call that is over leaves no timer and no listener', async () => {
    const { lk } = startClient(() => Response.json({ status: 'ok' }));
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await lk.getHealth({ signal });
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });
});

test('fifty calls share a signal without a warning, end with it, and leave nothing on it', async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error) => warnings.push(message);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  const { url } = await serveAnswers('hang');
  const lk = createLatchkey({ baseUrl: url, token: () => 'a-token' });
  const ok = createLatchkey({ baseUrl: url, fetch: () => Promise.resolve(Response.json({ status: 'ok' })) });
  const controller = new AbortController();
  const { signal } = controller;
  const verifier = createVerifier({ baseUrl: url, token: UNKNOWN_TOKEN });
  const fifty = [...Array(50).keys()];

  await Promise.all(fifty.map(() => ok.getHealth({ signal })));
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  const hanging = fifty.flatMap(() => [lk.getMe({ signal }), verifier.verify(UNKNOWN_TOKEN, { signal })]);
  await vi.waitUntil(() => getEventListeners(signal, 'abort').length > 0);
  controller.abort();
  const outcomes = await Promise.allSettled(hanging);
  expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason === signal.reason)).toEqual(
    Array(100).fill(true),
  );
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(warnings).toEqual([]);
});

test('an abort before the call sends nothing', async () => {
  const { url, received } = await serveAnswers(EMPTY_PAGE);
  const reason = new Error('not any more');
  await expect(createLatchkey({ baseUrl: url }).getHealth({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(received).toEqual([]);
});

test.each<[string, Partial<LatchkeyOptions>]>([
  ['a negative time-out', { timeoutMs: -1 }],
  ['a time-out that no timer takes', { timeoutMs: 2 ** 31 }],
  ['half a retry', { maxRetries: 0.5 }],
  ['endless retries', { maxRetries: Infinity }],
])('%s is refused', async (_, options) => {
  expect(() => createLatchkey({ baseUrl: 'http://localhost', ...options })).toThrow(TypeError);
  await expect(createLatchkey({ baseUrl: 'http://localhost' }).getHealth(options)).rejects.toThrow(TypeError);
});
