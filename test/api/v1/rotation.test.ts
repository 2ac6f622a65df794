import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  listAccessTokens,
  type Rotation,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  rotateCurrentAccessToken,
  updateAccessToken,
} from '../../../generated/index.js';
import { send } from '../../support/http.js';
import { ANY_STRING, matching, without } from '../../support/matchers.js';
import { expectNoSecret, expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, HOUR, MINUTE, SECOND, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

const NOW = Date.parse('2030-06-15T12:00:00.000Z');

function instant(milliseconds: number): string {
  return new Date(NOW + milliseconds).toISOString();
}

async function create(client: Client, expiresInDays: number | null = null) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
}

function rotate(client: Client, token_id: string, body?: Rotation) {
  return rotateAccessToken({ client, path: { token_id }, ...(body && { body }) });
}

async function isAccepted(service: Service, plaintext: string): Promise<boolean> {
  return (await getMe({ client: service.as(plaintext) })).response.status === 200;
}

describe('a rotation', () => {
  test('gives another plaintext and changes nothing else', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const made = await answered(
      createAccessToken({
        client,
        body: { name: 'deploy bot', description: 'Ships.', metadata: { team: 'platform' }, expiresInDays: 90 },
      }),
    );
    const rotated = await answered(rotate(client, made.token.id, { gracePeriodSeconds: 60 }));
    expect(rotated.plaintext).toMatch(/^lk_pat_[0-9A-Za-z]{36}$/);
    expect(rotated.plaintext).not.toBe(made.plaintext);
    expect(rotated.token).toEqual({
      ...made.token,
      tokenPrefix: rotated.plaintext.slice(0, 12),
      previousSecret: { tokenPrefix: made.token.tokenPrefix, validUntil: instant(MINUTE), lastUsedAt: null },
    });
    expect(await answered(getAccessToken({ client, path: { token_id: made.token.id } }))).toEqual(rotated.token);
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    expect(items).toEqual([rotated.token]);
  });

  test('keeps the integer id of a private token', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const made = await answered(
      createPrivateToken({ client, body: { name: 'report', expiration_time: instant(DAY) } }),
    );
    const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
    await answered(rotate(client, items[0]?.id ?? ''));
    const list = await send(service, 'GET /api/v1/auth/private_tokens/', { token });
    expect(list.body).toMatchObject({
      results: [{ id: made.id, name: 'report', expiration_time: instant(DAY) }],
    });
    expect(await isAccepted(service, made.data)).toBe(false);
  });

  test.each([
    ['without a body', undefined],
    ['with an empty one', {}],
    ['with a grace period of 0', { gracePeriodSeconds: 0 }],
  ])('%s ends the earlier secret at once', async (_, body) => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    const rotated = await answered(rotate(client, token.id, body));
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);
    expect(rotated.token.previousSecret).toMatchObject({ validUntil: instant(0) });
  });

  test('ends what it ends at once for good, wherever the clock goes', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const first = await create(client);
    const second = await answered(rotate(client, first.token.id, { gracePeriodSeconds: 3_600 }));
    await answered(rotate(client, first.token.id));
    service.clock.advance(-HOUR);
    for (const { plaintext } of [first, second]) expect(await isAccepted(service, plaintext)).toBe(false);
  });

  test('leaves the earlier secret its grace period, to the millisecond', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    const rotated = await answered(rotate(client, token.id, { gracePeriodSeconds: 604_800 }));
    service.clock.advance(7 * DAY - 1);
    expect(await isAccepted(service, plaintext)).toBe(true);
    service.clock.advance(1);
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);
  });

  test('leaves the earlier secret no longer than its own expiry, whatever the new one is', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client, 1);
    const rotated = await answered(rotate(client, token.id, { gracePeriodSeconds: 604_800, expiresInDays: 365 }));
    expect(rotated.token).toMatchObject({
      expiresAt: instant(365 * DAY),
      previousSecret: { validUntil: instant(DAY) },
    });
    service.clock.advance(DAY);
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);
  });

  test('a new expiry that is earlier than the grace period ends both secrets', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    const rotated = await answered(rotate(client, token.id, { gracePeriodSeconds: 604_800, expiresInDays: 1 }));
    service.clock.advance(DAY);
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(false);
  });

  test('a further one can shorten the grace period of all earlier secrets, and not lengthen it', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const first = await create(client);
    const { id } = first.token;
    const second = await answered(rotate(client, id, { gracePeriodSeconds: 3_600 }));
    const third = await answered(rotate(client, id, { gracePeriodSeconds: 7_200 }));
    service.clock.advance(HOUR - SECOND);
    expect(await isAccepted(service, first.plaintext)).toBe(true);
    service.clock.advance(SECOND);
    expect(await isAccepted(service, first.plaintext)).toBe(false);
    expect(await isAccepted(service, second.plaintext)).toBe(true);

    await answered(rotate(service.as(third.plaintext), id, { gracePeriodSeconds: 60 }));
    for (const { plaintext } of [second, third]) expect(await isAccepted(service, plaintext)).toBe(true);
    service.clock.advance(MINUTE);
    for (const { plaintext } of [second, third]) expect(await isAccepted(service, plaintext)).toBe(false);
  });

  test('an edit ends all earlier secrets before their time, and not the newest', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const first = await create(client);
    const path = { token_id: first.token.id };
    const second = await answered(rotate(client, path.token_id, { gracePeriodSeconds: 3_600 }));
    const third = await answered(rotate(client, path.token_id, { gracePeriodSeconds: 3_600 }));
    const edited = await answered(updateAccessToken({ client, path, body: { previousSecret: null } }));
    expect(edited.previousSecret).toBeNull();
    for (const { plaintext } of [first, second]) expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, third.plaintext)).toBe(true);
    await answered(updateAccessToken({ client, path, body: { previousSecret: null } }));
    expect(await isAccepted(service, third.plaintext)).toBe(true);
  });

  test('the earlier secret says when it ends, and what uses it is seen on the token', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    const rotated = await answered(rotate(client, token.id, { gracePeriodSeconds: 3_600 }));
    service.clock.advance(MINUTE);
    const earlier = await getMe({ client: service.as(plaintext) });
    expect(earlier.response.headers.get('Latchkey-Token-Expires-At')).toBe(instant(HOUR));
    const newest = await getMe({ client: service.as(rotated.plaintext) });
    expect(newest.response.headers.get('Latchkey-Token-Expires-At')).toBeNull();

    service.clock.advance(MINUTE);
    await getMe({ client: service.as(rotated.plaintext) });
    await service.restart();
    const seen = await answered(
      getAccessToken({ client: service.as(rotated.plaintext), path: { token_id: token.id } }),
    );
    expect(seen.lastUsedAt).toBe(instant(2 * MINUTE));
    expect(seen.previousSecret?.lastUsedAt).toBe(instant(MINUTE));
  });

  test('a use before the rotation counts as one of the earlier secret', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    service.clock.advance(MINUTE);
    await getMe({ client: service.as(plaintext) });
    // Before that use is written.
    const rotated = await answered(rotate(client, token.id, { gracePeriodSeconds: 3_600 }));
    await service.restart();
    const seen = await answered(
      getAccessToken({ client: service.as(rotated.plaintext), path: { token_id: token.id } }),
    );
    expect(seen.previousSecret?.lastUsedAt).toBe(instant(MINUTE));
  });

  test('an earlier secret that is used after its grace period is logged', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    await answered(rotate(client, token.id));
    const answer = await expectRefusal(service, () => send(service, 'GET /api/v1/auth/me', { token: plaintext }), {
      status: 401,
    });
    await expectNoSecret(service, answer);
    const lines = service.log.filter((line) => line.includes('earlier secret of a rotated token'));
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 40, tokenId: token.id, requestId: answer.headers['x-request-id'] }),
    ]);
  });

  test('brings an expired token to life with its former lifetime, or with the one that is sent', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const one = await create(client, 1);
    const two = await create(client, 1);
    service.clock.advance(30 * DAY);
    const { client: again } = await service.admin();
    const revived = await answered(rotate(again, one.token.id, { gracePeriodSeconds: 60 }));
    expect(revived.token.expiresAt).toBe(instant(31 * DAY));
    // The earlier secret had ended with its token, and stays so.
    expect(await isAccepted(service, one.plaintext)).toBe(false);
    expect(await isAccepted(service, revived.plaintext)).toBe(true);
    const other = await answered(rotate(again, two.token.id, { expiresInDays: 7 }));
    expect(other.token.expiresAt).toBe(instant(37 * DAY));
  });

  test.each<[string, (client: Client, token_id: string) => Promise<unknown>, number]>([
    ['a rotation brought it back before', () => Promise.resolve(), 1],
    ['a rotation gave it', (client, id) => answered(rotate(client, id, { expiresInDays: 3 })), 3],
    [
      'an edit gave it',
      (client, id) => answered(updateAccessToken({ client, path: { token_id: id }, body: { expiresInDays: 3 } })),
      3,
    ],
  ])('the former lifetime is that of its last life: %s', async (_, change, days) => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await create(client, 1);
    service.clock.advance(DAY / 2);
    await change((await service.admin()).client, token.id);
    for (let life = 1; life <= 3; life++) {
      service.clock.advance(10 * DAY);
      const { client: again } = await service.admin();
      const revived = await answered(rotate(again, token.id));
      expect(revived.token.expiresAt).toBe(new Date(service.clock.now() + days * DAY).toISOString());
    }
  });

  test('takes an expiry away where null is sent', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await create(client, 1);
    expect((await answered(rotate(client, token.id, { expiresInDays: null }))).token.expiresAt).toBeNull();
  });

  test('a disabled token stays disabled', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const made = await create(client);
    await send(service, `PATCH /api/v1/access-tokens/${made.token.id}`, { token, json: { disabled: true } });
    const rotated = await answered(rotate(client, made.token.id));
    expect(rotated.token.disabled).toBe(true);
    expect(await isAccepted(service, rotated.plaintext)).toBe(false);
  });

  test('of many at the same time leaves one newest secret and no other', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await create(client);
    const rotations = await Promise.all(Array.from({ length: 20 }, () => answered(rotate(client, token.id))));
    const { tokenPrefix } = await answered(getAccessToken({ client, path: { token_id: token.id } }));
    const accepted: string[] = [];
    for (const { plaintext } of rotations) if (await isAccepted(service, plaintext)) accepted.push(plaintext);
    expect(accepted.map((plaintext) => plaintext.slice(0, 12))).toEqual([tokenPrefix]);
  });
});

describe('what is refused', () => {
  const shared = shareService(async (service, admin) => {
    const live = await create(admin.client);
    const revoked = await create(admin.client);
    await revokeAccessToken({ client: admin.client, path: { token_id: revoked.token.id } });
    return { live: live.token, revoked: revoked.token, stranger: await service.newUser() };
  });

  test('a revoked token does not come back', async () => {
    const { service, admin, made } = await shared();
    await expectRefusal(service, () => rotate(admin.client, made.revoked.id), {
      status: 409,
      body: { detail: 'The token is revoked. A revoked token cannot be changed.', code: 'token_revoked' },
    });
  });

  test("a stranger's token is one that never was", async () => {
    const { service, made } = await shared();
    await expectRefusal(service, () => rotate(made.stranger.client, made.live.id), {
      status: 404,
      body: { detail: 'No such token.', code: 'not_found' },
    });
  });

  test.each<[string, unknown, string, string]>([
    ['a negative grace period', { gracePeriodSeconds: -1 }, 'gracePeriodSeconds', 'greater_than_equal'],
    ['more than a week of grace', { gracePeriodSeconds: 604_801 }, 'gracePeriodSeconds', 'less_than_equal'],
    ['half a second', { gracePeriodSeconds: 0.5 }, 'gracePeriodSeconds', 'int_type'],
    ['a text', { gracePeriodSeconds: '60' }, 'gracePeriodSeconds', 'int_type'],
    ['no day', { expiresInDays: 0 }, 'expiresInDays', 'greater_than_equal'],
    ['more than a year', { expiresInDays: 366 }, 'expiresInDays', 'less_than_equal'],
    ['a misspelt member', { gracePeriod: 60 }, 'gracePeriod', 'extra_forbidden'],
  ])('%s', async (_, json, field, type) => {
    const { service, admin, made } = await shared();
    for (const path of [made.live.id, 'current']) {
      const line = `POST /api/v1/access-tokens/${path}/rotate` as const;
      await expectRefusal(service, () => send(service, line, { token: admin.token, json }), {
        status: 422,
        body: { detail: [{ loc: ['body', field], msg: ANY_STRING, type }] },
      });
    }
  });
});

describe('a session', () => {
  test('rotates itself, and is refreshed afterwards', async () => {
    const service = await startService();
    const { token, session } = await service.admin();
    const rotated = await answered(
      rotateCurrentAccessToken({ client: service.as(token), body: { gracePeriodSeconds: 60 } }),
    );
    expect(rotated.plaintext).toMatch(/^lk_ses_/);
    expect(rotated.token).toMatchObject({ tokenType: 'session', expiresAt: instant(HOUR) });
    service.clock.advance(MINUTE);
    expect(await isAccepted(service, token)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);

    const { refresh_token } = session;
    const refreshed = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
    expect(await isAccepted(service, refreshed.access_token)).toBe(true);
    // Neither comes back by the refresh; the one that it takes the place of serves until its own expiry.
    expect(await isAccepted(service, token)).toBe(false);
    service.clock.advance(HOUR - MINUTE - 1);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);
    service.clock.advance(1);
    expect(await isAccepted(service, rotated.plaintext)).toBe(false);
    expect(await isAccepted(service, refreshed.access_token)).toBe(true);
  });

  test('that has expired is not rotated, but refreshed', async () => {
    const service = await startService();
    const { session } = await service.admin();
    const { session: shown } = await answered(getMe({ client: service.as(session.access_token) }));
    service.clock.advance(HOUR);
    const { client } = await service.admin();
    await expectRefusal(service, () => rotate(client, shown.sessionId ?? ''), {
      status: 409,
      body: { detail: 'The session has expired. Refresh it or log in again.', code: 'token_expired' },
    });
    const { refresh_token } = session;
    const refreshed = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
    expect(await isAccepted(service, refreshed.access_token)).toBe(true);
  });

  test('gets no other lifetime', async () => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(
      service,
      () => send(service, 'POST /api/v1/access-tokens/current/rotate', { token, json: { expiresInDays: 365 } }),
      {
        status: 422,
        body: {
          detail: [
            { loc: ['body', 'expiresInDays'], msg: 'The lifetime of a session cannot be changed', type: 'value_error' },
          ],
        },
      },
    );
  });
});

describe('a token in use', () => {
  test('rotates itself', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext, token } = await create(client);
    const rotated = await answered(rotateCurrentAccessToken({ client: service.as(plaintext) }));
    expect(without(rotated.token, 'tokenPrefix', 'previousSecret', 'lastUsedAt')).toEqual(
      without(token, 'tokenPrefix', 'previousSecret', 'lastUsedAt'),
    );
    expect(rotated.plaintext).toEqual(matching(/^lk_pat_/));
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect(await isAccepted(service, rotated.plaintext)).toBe(true);
  });
});
