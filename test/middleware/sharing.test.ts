import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../client/middleware/index.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { withChecksum } from '../support/plaintext.js';
import { rejectionOf } from '../support/rejection.js';
import { createSetting, SERVICE } from './setting.js';

const service = latchkeyPerFile(SERVICE);

/** So many well-formed tokens of nobody. */
const tokens = (count: number) =>
  Array.from({ length: count }, (_, index) => withChecksum(`lk_pat_${String(index).padStart(30, '0')}`));
const codesOf = (verdicts: Verdict[]) => [...new Set(verdicts.map(({ code }) => code))];

/** A network whose answers arrive when the test lets them, in whatever order. */
function heldBack() {
  const letters: { deliver: () => void; signal: AbortSignal }[] = [];
  return {
    letters,
    /** Resolves when so many answers have left the service and have not arrived. */
    async arrived(count: number): Promise<void> {
      while (letters.length < count) await sleep(1);
    },
    fetch: async (url: string, init: RequestInit) => {
      const answer = await fetch(url, init);
      const text = await answer.text();
      const signal = init.signal as AbortSignal;
      await new Promise<void>((resolve, reject) => {
        letters.push({ deliver: resolve, signal });
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
      return new Response(text, answer);
    },
  };
}

describe('questions are shared', () => {
  test('of the same breath, about one token: one request', async () => {
    const { verifier, plaintext, asked } = createSetting(service);
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(plaintext('good'))));
    expect(codesOf(verdicts)).toEqual(['valid']);
    expect(asked()).toEqual([1]);
  });

  test('of the same breath, about many tokens: batches of 100 at most, each answer to its question', async () => {
    const { verifier, plaintext, asked } = createSetting(service);
    const all = [...tokens(120), plaintext('good'), ...tokens(250).slice(120), plaintext('revoked')];
    const verdicts = await Promise.all(all.map((token) => verifier.verify(token)));
    expect(codesOf(verdicts.slice(0, 120))).toEqual(['unknown']);
    expect(verdicts[120]).toMatchObject({ valid: true, token: { name: 'good' } });
    expect(codesOf(verdicts.slice(121, -1))).toEqual(['unknown']);
    expect(verdicts.at(-1)).toMatchObject({ valid: false, code: 'revoked', token: { name: 'revoked' } });
    expect(asked().sort()).toEqual([100, 100, 52]);
  });

  test('while one about a token is on its way, the next waits, and whoever waits shares it', async () => {
    const network = heldBack();
    const { verifier, plaintext, asked } = createSetting(service, { fetch: network.fetch });
    const first = verifier.verify(plaintext('good'));
    await network.arrived(1);
    const next: Promise<Verdict>[] = [];
    for (let count = 0; count < 10; count++) {
      next.push(verifier.verify(plaintext('good')));
      await sleep(2);
    }
    expect(asked()).toEqual([1]);
    network.letters[0]?.deliver();
    expect((await first).code).toBe('valid');
    await network.arrived(2);
    network.letters[1]?.deliver();
    expect(codesOf(await Promise.all(next))).toEqual(['valid']);
    expect(asked()).toEqual([1, 1]);
  });

  test('while maxConcurrency requests are on their way, others wait and leave as a batch', async () => {
    const network = heldBack();
    const { verifier, asked } = createSetting(service, { fetch: network.fetch, maxConcurrency: 2 });
    const verdicts: Promise<Verdict>[] = [];
    for (const token of tokens(20)) {
      verdicts.push(verifier.verify(token));
      await sleep(1);
    }
    await network.arrived(2);
    expect(asked()).toEqual([1, 1]);
    network.letters[1]?.deliver();
    await network.arrived(3);
    expect(asked()).toEqual([1, 1, 18]);
    for (const { deliver } of network.letters) deliver();
    expect(codesOf(await Promise.all(verdicts))).toEqual(['unknown']);
  });

  test('for the same scopes only', async () => {
    const { verifier, plaintext, service: used } = createSetting(service);
    const ask = (scopes: string[]) => verifier.verify(plaintext('good'), { scopes });
    const [read, tokens] = ['invoices:read', 'tokens:read'];
    const verdicts = await Promise.all([ask([]), ask([tokens, read]), ask([read, tokens, read]), ask(['send'])]);
    expect(verdicts.map(({ code }) => code)).toEqual(['valid', 'valid', 'valid', 'insufficient_scope']);
    expect(used.requests.all().map(({ body }) => body)).toMatchObject([
      { tokens: [{}, { scopes: [read, tokens] }, { scopes: ['send'] }] },
    ]);
  });

  test('in batches that the service takes, however long their scopes are', async () => {
    const { verifier, asked } = createSetting(service);
    const scopes = Array.from({ length: 64 }, (_, index) => `${'s'.repeat(90)}:${String(index)}`);
    const verdicts = await Promise.all(tokens(40).map((token) => verifier.verify(token, { scopes })));
    expect(codesOf(verdicts)).toEqual(['unknown']);
    // 40 questions of 6.4 kB each, in bodies of 60 kB.
    expect(asked()).toHaveLength(5);
  });
});

describe('an answer is never from before its question', () => {
  test('a question after a revocation joins no request that was sent before it', async () => {
    const network = heldBack();
    const { verifier, plaintext, revoke, asked } = createSetting(service, { fetch: network.fetch });
    const before = verifier.verify(plaintext('good'));
    await network.arrived(1);
    await revoke('good');
    const after = verifier.verify(plaintext('good'));
    await sleep(20);
    expect(asked()).toEqual([1]);
    network.letters[0]?.deliver();
    expect((await before).code).toBe('valid');
    await network.arrived(2);
    network.letters[1]?.deliver();
    expect((await after).code).toBe('revoked');
  });
});

describe('each question has its own patience', () => {
  test('one that is not answered in time is given up, and its request with it', async () => {
    const network = heldBack();
    const { verifier, plaintext } = createSetting(service, { fetch: network.fetch, timeoutMs: 100 });
    const started = performance.now();
    const error = await rejectionOf(verifier.verify(plaintext('good')));
    expect(performance.now() - started).toBeGreaterThan(95);
    expect(error).toMatchObject({ code: 'service_unavailable', cause: { code: 'timeout' } });
    expect(network.letters.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  test('a request that hangs holds those behind it up for a quarter of the time-out', async () => {
    let hang = true;
    const { verifier, plaintext } = createSetting(service, {
      timeoutMs: 2_000,
      maxConcurrency: 1,
      fetch: async (url, init) => (hang ? await new Promise(() => undefined) : await fetch(url, init)),
    });
    const started = performance.now();
    const hanging = rejectionOf(verifier.verify(plaintext('good')));
    await sleep(1);
    hang = false;
    const [same, other] = await Promise.all([verifier.verify(plaintext('good')), verifier.verify(plaintext('other'))]);
    expect([same.code, other.code]).toEqual(['valid', 'valid']);
    expect(performance.now() - started).toBeGreaterThan(495);
    expect(performance.now() - started).toBeLessThan(1_950);
    expect(await hanging).toMatchObject({ code: 'service_unavailable', cause: { code: 'timeout' } });
  });

  test('one that its caller gives up ends with the reason, and the others go on', async () => {
    const network = heldBack();
    const { verifier, plaintext, asked } = createSetting(service, { fetch: network.fetch });
    const controller = new AbortController();
    const given = verifier.verify(plaintext('good'), { signal: controller.signal });
    const kept = verifier.verify(plaintext('good'));
    await network.arrived(1);
    const reason = new Error('the client left');
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    network.letters[0]?.deliver();
    expect((await kept).code).toBe('valid');
    await expect(verifier.verify(plaintext('good'), { signal: controller.signal })).rejects.toBe(reason);
    expect(asked()).toEqual([1]);
  });

  test('one that is given up before it was sent is never sent', async () => {
    const network = heldBack();
    const { verifier, plaintext, asked } = createSetting(service, { fetch: network.fetch, maxConcurrency: 1 });
    const first = verifier.verify(plaintext('good'));
    await network.arrived(1);
    const controller = new AbortController();
    const waiting = verifier.verify(plaintext('other'), { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    network.letters[0]?.deliver();
    await first;
    await sleep(20);
    expect(asked()).toEqual([1]);
  });

  test('a request that fails fails its own questions alone', async () => {
    const network = heldBack();
    const { verifier, plaintext, asked } = createSetting(service, { fetch: network.fetch });
    service.faults.add({ operationId: 'verifyAccessToken', status: 503 });
    const first = rejectionOf(verifier.verify(plaintext('good')));
    await network.arrived(1);
    const second = verifier.verify(plaintext('good'));
    network.letters[0]?.deliver();
    expect(await first).toMatchObject({ code: 'service_unavailable', retryAfterSeconds: 1 });
    await network.arrived(2);
    network.letters[1]?.deliver();
    expect((await second).code).toBe('valid');
    expect(asked()).toHaveLength(2);
  });
});
