import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import {
  getMe,
  refreshSession,
  revokeAccessToken,
  updateAccessToken,
  type VerificationRequest,
} from '../../../generated/index.js';
import { createCountingDatabase } from '../../support/counting-database.js';
import { without } from '../../support/matchers.js';
import { UNKNOWN_TOKEN } from '../../support/plaintext.js';
import { answered, type Client, DAY, HOUR, MINUTE, SECOND, type Service, startService } from '../../support/service.js';
import { create, expectCode, get, rotate, verify, verifyAll } from '../../support/verifying.js';

describe('an earlier secret of a rotated token', () => {
  const warningsOf = ({ log }: Service) =>
    log
      .map((line) => JSON.parse(line) as { level: number; time: string })
      .filter(({ level }) => level === 40)
      .map((line) => without(line, 'time'));

  test('is valid to the end of its grace period, and the verdict says when that is', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext, token } = await create(client, 30);
    const rotated = await rotate(client, token.id, (2 * HOUR) / SECOND);
    const end = '2030-06-15T14:00:00.000Z';
    expect(rotated.token.previousSecret?.validUntil).toBe(end);

    service.clock.advance(2 * HOUR - 1);
    expect(await verify(keeper, plaintext)).toMatchObject({ code: 'valid', token: { id: token.id, expiresAt: end } });
    const newest = await verify(keeper, rotated.plaintext);
    expect(newest).toMatchObject({ code: 'valid', token: { id: token.id, expiresAt: token.expiresAt } });
    service.clock.advance(1);
    expect(await verify(keeper, plaintext)).toMatchObject({ code: 'expired', token: { id: token.id, expiresAt: end } });
    expectCode('valid', await verify(keeper, rotated.plaintext));
  });

  test('is valid no longer than its token', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const keeper = service.as((await create(client)).plaintext);
    const { plaintext, token } = await create(client, 1);
    await rotate(client, token.id, (7 * DAY) / SECOND);
    expect(await verify(client, plaintext)).toMatchObject({ code: 'valid', token: { expiresAt: token.expiresAt } });
    service.clock.advance(DAY);
    expectCode('expired', await verify(keeper, plaintext));
  });

  test('is noticed in the log once that is over, without its plaintext', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { user } = await answered(getMe({ client }));
    const { plaintext, token } = await create(client);
    await rotate(client, token.id, 60);
    expectCode('valid', await verify(client, plaintext));
    expect(warningsOf(service)).toEqual([]);

    service.clock.advance(MINUTE);
    const warning = {
      level: 40,
      msg: 'earlier secret of a rotated token used after its grace period',
      tokenId: token.id,
      userId: user.id,
      requestId: expect.any(String) as string,
    };
    expectCode('expired', await verify(client, plaintext));
    expect(warningsOf(service)).toEqual([warning]);
    await verifyAll(client, [UNKNOWN_TOKEN, plaintext]);
    expect(warningsOf(service)).toEqual([warning, warning]);
    expect(service.log.join('')).not.toContain(plaintext.slice(12));
  });

  test('of a session is none to be noticed: each ends, while another is in use', async () => {
    const service = await startService();
    const { session, token: earlier } = await service.admin();
    service.clock.advance(HOUR / 2);
    const body = { refresh_token: session.refresh_token };
    const refreshed = await answered(refreshSession({ client: service.anonymous, body }));
    service.clock.advance(HOUR / 2);
    expectCode('expired', await verify(service.as(refreshed.access_token), earlier));
    expect(warningsOf(service)).toEqual([]);
  });
});

describe('a use', () => {
  /** Asks with a token that no restart and no day ends. */
  const keep = async (service: Service) => (await create((await service.admin()).client)).plaintext;

  test.each<[string, (client: Client, token: string) => Promise<unknown>]>([
    ['verifying', (client, token) => verify(client, token)],
    ['verifying among others', (client, token) => verifyAll(client, ['nonsense', token, token])],
  ])('is what %s a good token counts as: within a minute, without a write for each request', async (_, ask) => {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const keeper = await keep(service);
    const client = service.as(keeper);
    const { plaintext, token } = await create(client);
    const lastUsed = async () => (await get(service.as(keeper), token.id)).lastUsedAt;
    expect(await lastUsed()).toBeNull();
    service.clock.advance(5 * SECOND);
    const before = counting.transactions();
    for (let i = 0; i < 50; i++) await ask(client, plaintext);
    await vi.waitFor(async () => {
      expect(await lastUsed()).toBe('2030-06-15T12:00:05.000Z');
    }, 5_000);
    expect(counting.transactions()).toBeLessThan(before + 20);

    service.clock.advance(MINUTE);
    await ask(client, plaintext);
    await service.restart();
    expect(await lastUsed()).toBe('2030-06-15T12:01:05.000Z');
  });

  test('is not what a verdict against a token counts as', async () => {
    const service = await startService();
    const keeper = await keep(service);
    const client = service.as(keeper);
    const expired = await create(client, 1);
    const disabled = await create(client);
    await answered(updateAccessToken({ client, path: { token_id: disabled.token.id }, body: { disabled: true } }));
    const revoked = await create(client);
    await revokeAccessToken({ client, path: { token_id: revoked.token.id } });
    const unscoped = await create(client);
    const superseded = await create(client);
    await rotate(client, superseded.token.id, 0);
    service.clock.advance(DAY);

    const asked = [expired, disabled, revoked, superseded].map(({ plaintext }) => ({ token: plaintext }));
    const questions: VerificationRequest[] = [...asked, { token: unscoped.plaintext, scopes: ['a'] }];
    for (const { token, scopes } of questions) expect((await verify(client, token, scopes)).valid).toBe(false);
    expect((await verifyAll(client, questions)).map(({ valid }) => valid)).not.toContain(true);
    await service.restart();
    for (const { token } of [expired, disabled, revoked, unscoped, superseded]) {
      expect(await get(service.as(keeper), token.id)).toMatchObject({ id: token.id, lastUsedAt: null });
    }
  });

  test('of an earlier secret is kept apart from one of the newest, whatever their digests', async () => {
    const service = await startService();
    const keeper = await keep(service);
    const client = service.as(keeper);
    const { plaintext, token } = await create(client);
    const secrets = [plaintext];
    // Of digests that start with other bytes, though their starts as text are alike.
    const startOf = (secret: string) => createHash('sha256').update(secret).digest().subarray(0, 4).toString();
    let earlier: string | undefined;
    while (earlier === undefined) {
      const rotated = await rotate(client, token.id, HOUR / SECOND);
      earlier = secrets.find((secret) => startOf(secret) === startOf(rotated.plaintext));
      secrets.push(rotated.plaintext);
    }
    service.clock.advance(MINUTE);
    expectCode('valid', await verify(client, earlier));
    service.clock.advance(SECOND);
    expectCode('valid', await verify(client, secrets.at(-1) ?? ''));
    await service.restart();
    expect(await get(service.as(keeper), token.id)).toMatchObject({
      lastUsedAt: '2030-06-15T12:01:01.000Z',
      previousSecret: { lastUsedAt: '2030-06-15T12:01:00.000Z' },
    });
  });
});
