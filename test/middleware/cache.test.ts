import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startServer } from '../../server/index.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { withChecksum } from '../support/plaintext.js';
import { createSetting, SERVICE } from './setting.js';

const service = latchkeyPerFile(SERVICE);

test('without a cache each question is asked', async () => {
  const { verifier, plaintext, asked, revoke } = createSetting(service);
  for (let count = 0; count < 3; count++) expect((await verifier.verify(plaintext('good'))).code).toBe('valid');
  await revoke('good');
  expect((await verifier.verify(plaintext('good'))).code).toBe('revoked');
  expect(asked()).toHaveLength(4);
});

test('a verdict is used again for cacheSeconds, and a revocation seen that much later', async () => {
  const { verifier, plaintext, asked, revoke } = createSetting(service, { cacheSeconds: 1 });
  const started = performance.now();
  const first = await verifier.verify(plaintext('good'));
  const answered = performance.now();
  await revoke('good');
  while (performance.now() - started < 800) {
    const verdict = await verifier.verify(plaintext('good'));
    const count = asked().length;
    // On a busy machine a turn may take longer than the verdict is used.
    if (performance.now() - started < 1_000) expect([verdict, count]).toEqual([first, 1]);
    await sleep(50);
  }
  await sleep(Math.max(0, 1_005 - (performance.now() - answered)));
  expect((await verifier.verify(plaintext('good'))).code).toBe('revoked');
  expect(asked().length).toBeGreaterThan(1);
});

test('its time counts from when the question was sent, however late the answer comes', async () => {
  const { verifier, plaintext, asked } = createSetting(service, {
    cacheSeconds: 1,
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      await sleep(700);
      return answer;
    },
  });
  const started = performance.now();
  await verifier.verify(plaintext('good'));
  await verifier.verify(plaintext('good'));
  if (performance.now() - started < 1_000) expect(asked()).toHaveLength(1);
  await sleep(350);
  await verifier.verify(plaintext('good'));
  expect(asked()).toHaveLength(2);
});

test('a refusal is not kept', async () => {
  const { verifier, plaintext, asked } = createSetting(service, { cacheSeconds: 60 });
  await verifier.verify(plaintext('disabled'));
  const id = service.users[0]?.tokens.find(({ name }) => name === 'disabled')?.id ?? '';
  await service.client('ada@example.org').updateAccessToken({ path: { token_id: id }, body: { disabled: false } });
  expect((await verifier.verify(plaintext('disabled'))).code).toBe('valid');
  expect(asked()).toHaveLength(2);
});

test('a verdict is on the scopes that were asked for, and on no others', async () => {
  const { verifier, plaintext } = createSetting(service, { cacheSeconds: 60 });
  const codeFor = async (...scopes: string[]) => (await verifier.verify(plaintext('good'), { scopes })).code;
  expect(await codeFor()).toBe('valid');
  expect(await codeFor('invoices:send')).toBe('insufficient_scope');
  expect(await codeFor('invoices:read')).toBe('valid');
  expect(await codeFor('invoices:read', 'invoices:send')).toBe('insufficient_scope');
});

test('of more than cacheEntries the least lately used go', async () => {
  const { verifier, plaintext, asked } = createSetting(service, { cacheSeconds: 60, cacheEntries: 2 });
  const ask = async (...names: string[]) => {
    for (const name of names) await verifier.verify(plaintext(name));
    return asked().length;
  };
  expect(await ask('good', 'other', 'good')).toBe(2);
  expect(await ask('short')).toBe(3);
  expect(await ask('good')).toBe(3);
  expect(await ask('other')).toBe(4);
});

test('what the cache gives cannot be changed by those who get it', async () => {
  const { verifier, plaintext } = createSetting(service, { cacheSeconds: 60 });
  const verdict = await verifier.verify(plaintext('good'));
  expect(() => {
    Object.assign(verdict, { valid: false });
  }).toThrow(TypeError);
  expect(() => {
    if (verdict.token !== null) verdict.token.metadata['team'] = 'admins';
  }).toThrow(TypeError);
});

describe('nothing is kept beyond its own end', () => {
  /** A service whose clock runs as ours does. */
  async function startRunning() {
    return await startServer({
      testing: {
        seed: {
          users: [
            {
              email: 'ada@example.org',
              tokens: [
                { name: 'verifier', plaintext: 'verifier' },
                { name: 'lasting', plaintext: 'lasting' },
                { name: 'ending', plaintext: 'ending', expiresAt: '+3s' },
              ],
            },
          ],
        },
      },
    });
  }

  test('no token beyond its expiry', async () => {
    await using running = await startRunning();
    const { verifier, plaintext, asked } = createSetting(running, { cacheSeconds: 60 });
    const first = await verifier.verify(plaintext('ending'));
    expect(first.valid).toBe(true);
    expect(await verifier.verify(plaintext('ending'))).toBe(first);
    expect(asked()).toHaveLength(1);
    const end = Date.parse(first.token?.expiresAt ?? '');
    while (Date.now() < end) {
      expect((await verifier.verify(plaintext('ending'))).valid).toBe(true);
      await sleep(Math.min(100, Math.max(0, end - Date.now())));
    }
    expect((await verifier.verify(plaintext('ending'))).code).toBe('expired');
  });

  test('no earlier secret beyond its grace period, while the newest is kept', async () => {
    await using running = await startRunning();
    const { verifier, plaintext, asked } = createSetting(running, { cacheSeconds: 60 });
    const earlier = plaintext('lasting');
    const id = running.users[0]?.tokens.find(({ name }) => name === 'lasting')?.id ?? '';
    const { plaintext: newest, token } = await running
      .client('ada@example.org')
      .rotateAccessToken({ path: { token_id: id }, body: { gracePeriodSeconds: 2 } });
    for (const secret of [earlier, newest, earlier, newest]) {
      expect((await verifier.verify(secret)).valid).toBe(true);
    }
    const before = asked().length;
    await sleep(Date.parse(token.previousSecret?.validUntil ?? '') - Date.now());
    expect((await verifier.verify(earlier)).code).toBe('expired');
    expect((await verifier.verify(newest)).valid).toBe(true);
    expect(asked().length - before).toBe(1);
  });

  test('nor one that is older still', async () => {
    await using running = await startRunning();
    const { verifier, plaintext } = createSetting(running, { cacheSeconds: 60 });
    const oldest = plaintext('lasting');
    const id = running.users[0]?.tokens.find(({ name }) => name === 'lasting')?.id ?? '';
    const rotate = (gracePeriodSeconds: number) =>
      running.client('ada@example.org').rotateAccessToken({ path: { token_id: id }, body: { gracePeriodSeconds } });
    const { token } = await rotate(2);
    await rotate(3_600);
    expect((await verifier.verify(oldest)).valid).toBe(true);
    await sleep(Date.parse(token.previousSecret?.validUntil ?? '') - Date.now());
    expect((await verifier.verify(oldest)).code).toBe('expired');
  });
});

test('many tokens at once keep the cache within its bound', async () => {
  const { verifier, plaintext, asked } = createSetting(service, { cacheSeconds: 60, cacheEntries: 1 });
  const unknown = Array.from({ length: 300 }, (_, index) => withChecksum(`lk_pat_${String(index).padStart(30, '0')}`));
  await Promise.all([...unknown, plaintext('good')].map((token) => verifier.verify(token)));
  const before = asked().length;
  await verifier.verify(plaintext('good'));
  expect(asked()).toHaveLength(before);
});
