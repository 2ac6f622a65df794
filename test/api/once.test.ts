import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  getMe,
  listAccessTokens,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
} from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { type Answer, type RequestParts, send } from '../support/http.js';
import { ANY_STRING } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, DAY, MINUTE, type Person, type Service, startService } from '../support/service.js';
import { bytesOf, rowsOf } from '../support/store.js';

// What is asked for twice under one Idempotency-Key is done once.

const KEY = 'f3b1c8f0-2f1e-4a8e-9d8e-6f2f6b1f9a11';
const TOKENS = '/api/v1/access-tokens';
const PRIVATE = '/api/v1/auth/private_tokens/';

type Line = `${string} ${string}`;

/** Every operation that is done once: its request, and how its plaintext is called. */
const OPERATIONS: [string, (tokenId: string) => { line: Line; json: unknown; other: unknown }, string][] = [
  [
    'creating an access token',
    () => ({ line: `POST ${TOKENS}`, json: { name: 'once', expiresInDays: 9 }, other: { name: 'twice' } }),
    'plaintext',
  ],
  [
    'creating a private token',
    () => ({
      line: `POST ${PRIVATE}`,
      json: { name: 'once', expiration_time: '2030-07-01T00:00:00Z' },
      other: { name: 'once', expiration_time: '2030-07-01T00:00:01Z' },
    }),
    'data',
  ],
  [
    'rotating',
    (id) => ({ line: `POST ${TOKENS}/${id}/rotate`, json: { gracePeriodSeconds: 60 }, other: {} }),
    'plaintext',
  ],
  [
    'rotating the token in use',
    () => ({ line: `POST ${TOKENS}/current/rotate`, json: { gracePeriodSeconds: 604_800 }, other: {} }),
    'plaintext',
  ],
];

function ask(service: Service, line: Line, token: string, json: unknown, key = KEY, more: RequestParts = {}) {
  return send(service, line, { token, json, ...more, headers: { 'Idempotency-Key': key, ...more.headers } });
}

async function someToken({ client }: Person) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot' } }));
}

async function tokenNames({ client }: Person): Promise<string[]> {
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat', includeRevoked: true } }));
  return items.map(({ name }) => name);
}

async function isAccepted(service: Service, plaintext: string): Promise<boolean> {
  return (await getMe({ client: service.as(plaintext) })).response.status === 200;
}

function plaintextOf({ body }: Answer, member: string): string {
  return String((body as Record<string, unknown>)[member]);
}

describe.each(OPERATIONS)('%s', (_, requestFor, member) => {
  test('a repetition gets the same answer, and nothing is done a second time', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json } = requestFor(token.id);
    const first = await ask(service, line, person.token, json);
    expect(first.status).toBeLessThan(300);
    const names = await tokenNames(person);
    service.clock.advance(MINUTE);
    const second = await ask(service, line, person.token, json);
    expect([second.status, second.text]).toEqual([first.status, first.text]);
    for (const name of ['location', 'etag'] as const) expect(second.headers[name]).toBe(first.headers[name]);
    expect(await tokenNames(person)).toEqual(names);
    expect(await isAccepted(service, plaintextOf(second, member))).toBe(true);
  });

  test('the order of members and the letter case of an id do not make another request', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json } = requestFor(token.id);
    const first = await ask(service, line, person.token, json);
    const turned = Object.fromEntries(Object.entries(json as object).reverse());
    const second = await ask(service, line, person.token, turned);
    expect(second.text).toBe(first.text);
  });

  test('another request under the same key is 422', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json, other } = requestFor(token.id);
    await ask(service, line, person.token, json);
    const isPrivate = line.includes('private_tokens');
    if (line.includes('current')) {
      const body = { detail: ANY_STRING, code: 'superseded_secret' };
      await expectRefusal(service, () => ask(service, line, person.token, other), { status: 403, body });
      return;
    }
    const msg = 'This key was already used for a different request; use a new key';
    await expectRefusal(service, () => ask(service, line, person.token, other), {
      status: 422,
      body: isPrivate
        ? { detail: 'This Idempotency-Key was already used for a different request. Use a new key.' }
        : { detail: [{ loc: ['header', 'Idempotency-Key'], msg, type: 'value_error' }] },
    });
  });

  test('of twenty at the same time one is done, and all get its answer', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json } = requestFor(token.id);
    const before = (await tokenNames(person)).length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(service, line, person.token, json)));
    expect(new Set(answers.map(({ text }) => text))).toHaveProperty('size', 1);
    expect(answers[0]?.status).toBeLessThan(300);
    const made = line.endsWith('rotate') ? 0 : 1;
    expect(await tokenNames(person)).toHaveLength(before + made);
  });

  test('a day later the key is new again', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    // A token that never ends, and that has a grace period of a week where it rotates itself.
    const { plaintext: asker } = await someToken(person);
    const { line, json } = requestFor(token.id);
    const first = await ask(service, line, asker, json);
    service.clock.advance(DAY - 1);
    expect((await ask(service, line, asker, json)).text).toBe(first.text);
    service.clock.advance(1);
    if (line.includes('current')) {
      // The one who asks has an earlier secret by then, which repeats and rotates nothing.
      await expectRefusal(service, () => ask(service, line, asker, json), { status: 403 });
      return;
    }
    const second = await ask(service, line, asker, json);
    expect(second.status).toBe(first.status);
    expect(second.text).not.toBe(first.text);
    expect((await ask(service, line, asker, json)).text).toBe(second.text);
  });

  test('a key of another caller is another key', async () => {
    const service = await startService();
    const person = await service.admin();
    const stranger = await service.newUser();
    const mine = await someToken(person);
    const theirs = await someToken(stranger);
    const first = await ask(service, requestFor(mine.token.id).line, person.token, requestFor('').json);
    const second = await ask(service, requestFor(theirs.token.id).line, stranger.token, requestFor('').json);
    expect(second.status).toBe(first.status);
    expect(plaintextOf(second, member)).not.toBe(plaintextOf(first, member));
  });

  test('after a refresh of the session the answer is not shown, and nothing is done', async () => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json } = requestFor(token.id);
    await ask(service, line, person.token, json);
    const { refresh_token } = person.session;
    const session = await answered(refreshSession({ client: service.anonymous, body: { refresh_token } }));
    await expectRefusal(service, () => ask(service, line, session.access_token, json), { status: 409 });
    // The caller's earlier token still opens it.
    expect((await ask(service, line, person.token, json)).status).toBeLessThan(300);
  });

  test.each(['', 'a b', 'ü', 'x'.repeat(256)])('`%s` is no key', async (key) => {
    const service = await startService();
    const person = await service.admin();
    const { token } = await someToken(person);
    const { line, json } = requestFor(token.id);
    const isPrivate = line.includes('private_tokens');
    await expectRefusal(service, () => ask(service, line, person.token, json, key), {
      status: isPrivate ? 400 : 422,
      body: isPrivate
        ? { 'Idempotency-Key': [ANY_STRING] }
        : { detail: [{ loc: ['header', 'Idempotency-Key'], msg: ANY_STRING, type: ANY_STRING }] },
    });
  });
});

test('one key for two operations is one key for two requests', async () => {
  const service = await startService();
  const { token } = await service.admin();
  await ask(service, `POST ${TOKENS}`, token, { name: 'once' });
  const expiration_time = '2030-07-01T00:00:00Z';
  await expectRefusal(service, () => ask(service, `POST ${PRIVATE}`, token, { name: 'once', expiration_time }), {
    status: 422,
  });
});

test('what is refused is not kept: the same key serves for the request put right', async () => {
  const service = await startService();
  const { token } = await service.admin();
  expect((await ask(service, `POST ${TOKENS}`, token, { name: '' })).status).toBe(422);
  const missing = `POST ${TOKENS}/019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b/rotate` as const;
  expect((await ask(service, missing, token, {})).status).toBe(404);
  expect((await ask(service, `POST ${TOKENS}`, token, { name: 'once' })).status).toBe(201);
});

test('the answer stays the same when the token has changed since', async () => {
  const service = await startService();
  const { token, client } = await service.admin();
  const first = await ask(service, `POST ${PRIVATE}`, token, { name: 'a', expiration_time: '2030-06-15T12:05:00Z' });
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat' } }));
  await revokeAccessToken({ client, path: { token_id: items[0]?.id ?? '' } });
  service.clock.advance(10 * MINUTE);
  const again = await ask(service, `POST ${PRIVATE}`, token, { name: 'a', expiration_time: '2030-06-15T12:05:00Z' });
  expect([again.status, again.text]).toEqual([first.status, first.text]);
});

test('without a key two requests are two things', async () => {
  const service = await startService();
  const person = await service.admin();
  for (let times = 0; times < 2; times++)
    await answered(createAccessToken({ client: person.client, body: { name: 'a' } }));
  expect(await tokenNames(person)).toEqual(['a', 'a']);
});

describe('a token that rotates itself', () => {
  const rotateSelf = (service: Service, plaintext: string, key = KEY, json: unknown = {}) =>
    ask(service, `POST ${TOKENS}/current/rotate`, plaintext, json, key);

  test('gets its lost answer, though its secret has ended with it', async () => {
    const service = await startService();
    const person = await service.admin();
    const { plaintext, token } = await someToken(person);
    for (const line of [`POST ${TOKENS}/current/rotate`, `POST ${TOKENS}/${token.id}/rotate`] as const) {
      const { plaintext: own } = await someToken(person);
      const asker = line.includes('current') ? own : plaintext;
      const first = await ask(service, line, asker, {});
      expect(await isAccepted(service, asker)).toBe(false);
      service.clock.advance(10 * MINUTE - 1);
      const again = await ask(service, line, asker, {});
      expect([again.status, again.text]).toEqual([200, first.text]);
      expect(await isAccepted(service, plaintextOf(again, 'plaintext'))).toBe(true);
      service.clock.advance(1);
      await expectRefusal(service, () => ask(service, line, asker, {}), { status: 401 });
    }
  });

  test.each([
    [21, 401],
    [22, 200],
  ])('with a key of %i characters a lost answer is %i', async (length, status) => {
    const service = await startService();
    const { plaintext } = await someToken(await service.admin());
    const key = 'k'.repeat(length);
    expect((await rotateSelf(service, plaintext, key)).status).toBe(200);
    expect((await rotateSelf(service, plaintext, key)).status).toBe(status);
  });

  test('an ended secret gets nothing else by it', async () => {
    const service = await startService();
    const person = await service.admin();
    const { plaintext } = await someToken(person);
    expect((await rotateSelf(service, plaintext)).status).toBe(200);
    const refused = { status: 401, body: { detail: ANY_STRING, code: 'unauthorized' } };
    const attempts: (() => Promise<Answer>)[] = [
      () => rotateSelf(service, plaintext, 'another-key-that-is-long-enough'),
      () => rotateSelf(service, plaintext, KEY, { gracePeriodSeconds: 60 }),
      () => rotateSelf(service, plaintext, KEY, { gracePeriod: 60 }),
      () => rotateSelf(service, plaintext, ''),
      () => send(service, `POST ${TOKENS}/current/rotate`, { token: plaintext, json: {} }),
      () => ask(service, `POST ${TOKENS}`, plaintext, { name: 'heir' }),
      () => ask(service, `GET ${TOKENS}/current`, plaintext, undefined),
    ];
    for (const attempt of attempts) {
      const { headers } = await expectRefusal(service, attempt, refused);
      expect(headers).not.toHaveProperty('latchkey-token-expires-at');
      expect(headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    }
  });

  test('an ended secret does not hear that its site or its scopes are wrong', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const made = await answered(createAccessToken({ client, body: { name: 'reader', scopes: ['tokens:read'] } }));
    await answered(rotateAccessToken({ client, path: { token_id: made.token.id } }));
    const line = `POST ${TOKENS}/current/rotate` as const;
    for (const headers of [
      { Cookie: `vai_token=${made.plaintext}`, 'Sec-Fetch-Site': 'cross-site' },
      { 'X-API-Key': made.plaintext },
    ]) {
      await expectRefusal(service, () => send(service, line, { headers: { ...headers, 'Idempotency-Key': KEY } }), {
        status: 401,
        body: { detail: ANY_STRING, code: 'unauthorized' },
      });
    }
  });

  test('gets its answer for each of many at the same time, of which one ends the secret', async () => {
    const service = await startService();
    const { plaintext } = await someToken(await service.admin());
    const answers = await Promise.all(Array.from({ length: 20 }, () => rotateSelf(service, plaintext)));
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`))).toEqual(
      new Set([`200 ${answers[0]?.text ?? ''}`]),
    );
  });

  test('gets nothing while the token or its owner is disabled', async () => {
    const service = await startService();
    const person = await service.newUser();
    const { plaintext, token } = await someToken(person);
    const first = await rotateSelf(service, plaintext);
    const disable = (disabled: boolean) =>
      answered(updateAccessToken({ client: person.client, path: { token_id: token.id }, body: { disabled } }));
    await disable(true);
    await expectRefusal(service, () => rotateSelf(service, plaintext), { status: 401 });
    await disable(false);
    expect((await rotateSelf(service, plaintext)).text).toBe(first.text);
    const users = await openUsers(service.database);
    await users.disable(person.email);
    await users.close();
    await expectRefusal(service, () => rotateSelf(service, plaintext), { status: 401 });
  });

  test('gets nothing any more once the token is revoked', async () => {
    const service = await startService();
    const person = await service.admin();
    const { plaintext, token } = await someToken(person);
    await rotateSelf(service, plaintext);
    await revokeAccessToken({ client: person.client, path: { token_id: token.id } });
    await expectRefusal(service, () => rotateSelf(service, plaintext), { status: 401 });
  });
});

describe('what is kept', () => {
  test('is readable by nobody who has the database', async () => {
    const service = await startService();
    const person = await service.admin();
    const answer = await ask(service, `POST ${TOKENS}`, person.token, { name: 'a name that is easy to find' });
    const plaintext = plaintextOf(answer, 'plaintext');
    expect((await ask(service, `POST ${TOKENS}`, person.token, { name: 'a name that is easy to find' })).text).toBe(
      answer.text,
    );
    await service.stop();
    const bytes = await bytesOf(service);
    expect(bytes.includes('a name that is easy to find')).toBe(true);
    for (const secret of [plaintext, plaintext.slice(12), KEY, person.token]) {
      for (const encoding of ['utf8', 'base64', 'hex'] as const) {
        expect(bytes.includes(Buffer.from(secret).toString(encoding))).toBe(false);
      }
    }
  });

  test('is gone when a day is over and another answer is kept', async () => {
    const service = await startService({ sessionMinutes: 1_440 });
    const { token } = await service.admin();
    for (let count = 0; count < 5; count++) {
      await ask(service, `POST ${TOKENS}`, token, { name: 'a' }, `key-${String(count)}`);
    }
    expect(await keptIn(service)).toBe(5);
    service.clock.advance(DAY);
    const { token: next } = await service.admin();
    await ask(service, `POST ${TOKENS}`, next, { name: 'a' });
    expect(await keptIn(service)).toBe(1);
  });

  test('outlives a restart', async () => {
    const service = await startService();
    const { token } = await service.admin();
    const first = await ask(service, `POST ${TOKENS}`, token, { name: 'a' });
    await service.restart();
    expect((await ask(service, `POST ${TOKENS}`, token, { name: 'a' })).text).toBe(first.text);
  });
});

test('two processes on one database do what they are asked for once', async () => {
  const service = await startService();
  const other = await startService({ database: service.database });
  const { token } = await service.admin();
  for (let round = 0; round < 10; round++) {
    const both = [service, other, service, other].map((one) =>
      ask(one, `POST ${TOKENS}`, token, { name: 'a' }, `round-${String(round)}`),
    );
    expect(new Set((await Promise.all(both)).map(({ text }) => text))).toHaveProperty('size', 1);
  }
});

async function keptIn(service: Service): Promise<number> {
  return (await rowsOf(service, 'select 1 from idempotent_answers')).length;
}
