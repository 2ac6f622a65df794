import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createLatchkey, type Latchkey, type LatchkeyOptions } from '../../client/index.js';
import type { TestingServer } from '../../server/index.js';
import { JSON_TYPE, serveAnswers } from '../support/answers.js';
import { plaintextOf, startLocal } from '../support/local-server.js';
import { rejectionOf } from '../support/rejection.js';

interface Parameter {
  $ref?: string;
  in?: string;
  name?: string;
}

interface Contract {
  paths: Record<string, Record<string, { operationId?: string; parameters?: Parameter[] }>>;
  components: { parameters: Record<string, Parameter> };
}

const contract = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as Contract;
const operations = Object.values(contract.paths).flatMap((methods) =>
  Object.values(methods).flatMap(({ operationId, parameters = [] }) =>
    // `events` sends `Last-Event-ID` by itself, and the headers of `reportGitHubSecrets` are GitHub's.
    operationId === undefined || operationId === 'followEvents' || operationId === 'reportGitHubSecrets'
      ? []
      : [{ operationId, headers: parameters.map(resolved).flatMap(headerOf) }],
  ),
);

function resolved({ $ref, ...parameter }: Parameter): Parameter {
  return $ref === undefined ? parameter : (contract.components.parameters[$ref.split('/').at(-1) ?? ''] ?? {});
}

function headerOf(parameter: Parameter): string[] {
  return parameter.in === 'header' ? [parameter.name ?? ''] : [];
}

function takers(header: string): string[] {
  return operations.filter(({ headers }) => headers.includes(header)).map(({ operationId }) => operationId);
}

/** Every operation, called with what any of them needs; what is sent goes to `sent` and is answered with 404. */
async function callAll(options: object, sent: (operationId: string, headers: Record<string, string>) => void) {
  const given = {
    path: { token_id: 'a', id: 1, user_id: 1, external_id: 'a' },
    body: { refresh_token: 'a' },
    ...options,
  };
  for (const { operationId } of operations) {
    const lk = createLatchkey({
      baseUrl: 'http://localhost',
      fetch: (_, init) => {
        sent(operationId, init.headers as Record<string, string>);
        return Promise.resolve(Response.json({ detail: 'No such token.', code: 'not_found' }, { status: 404 }));
      },
    });
    const call = lk[operationId as keyof Latchkey] as (options: object) => Promise<unknown>;
    await rejectionOf(call(given));
  }
}

describe('the contract', () => {
  test('has operations that take a key, and each call of one is given one, and of no other', async () => {
    expect(takers('Idempotency-Key').length).toBeGreaterThan(3);
    const keyed: string[] = [];
    await callAll({}, (operationId, headers) => {
      if (headers['idempotency-key'] !== undefined) keyed.push(operationId);
    });
    expect(keyed).toEqual(takers('Idempotency-Key'));
  });

  test('has no header parameter that is no option of the client', async () => {
    const options = { 'Idempotency-Key': 'idempotencyKey', 'If-Match': 'ifMatch' };
    expect([...new Set(operations.flatMap(({ headers }) => headers))].sort()).toEqual(Object.keys(options));
    for (const [header, option] of Object.entries(options)) {
      const given: (string | undefined)[] = [];
      await callAll({ [option]: '"a"' }, (operationId, headers) => {
        if (takers(header).includes(operationId)) given.push(headers[header.toLowerCase()]);
      });
      expect(given).toEqual(takers(header).map(() => '"a"'));
    }
  });
});

describe('the key', () => {
  const UNAVAILABLE = { status: 503, headers: { 'Retry-After': '0' } };
  const ISSUED = { status: 201, headers: JSON_TYPE, body: '{"plaintext":"","token":{}}' };
  const keysIn = (received: { headers: Record<string, unknown> }[]) =>
    received.map(({ headers }) => headers['idempotency-key']);

  test('is the same for all attempts of a call, and another for the next call', async () => {
    const { url, received } = await serveAnswers(UNAVAILABLE, 'drop', ISSUED);
    const lk = createLatchkey({ baseUrl: url });
    await lk.createAccessToken({ body: { name: 'a' } });
    await lk.createAccessToken({ body: { name: 'a' } });
    const [first, second, third, next] = keysIn(received);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect([second, third]).toEqual([first, first]);
    expect(next).toMatch(/^[0-9a-f]{32}$/);
    expect(next).not.toBe(first);
  });

  test.each<[string, object]>([
    ['as an option', { idempotencyKey: 'of-the-caller' }],
    ['as a header', { headers: { 'IDEMPOTENCY-key': 'of-the-caller' } }],
  ])('of the caller is kept (%s)', async (_, options) => {
    const { url, received } = await serveAnswers(UNAVAILABLE, ISSUED);
    const lk = createLatchkey({ baseUrl: url });
    await lk.createAccessToken({ body: { name: 'a' }, ...options });
    expect(keysIn(received)).toEqual(['of-the-caller', 'of-the-caller']);
  });

  test('of the caller that was sent with another request is invalid input', async () => {
    const server = await startLocal();
    const lk = server.client('deploy');
    const idempotencyKey = 'job-17';
    const { token } = await lk.createAccessToken({ body: { name: 'a' }, idempotencyKey });
    expect(await lk.createAccessToken({ body: { name: 'a' }, idempotencyKey })).toMatchObject({ token });
    const ofAccessTokens = await rejectionOf(lk.createAccessToken({ body: { name: 'b' }, idempotencyKey }));
    expect(ofAccessTokens).toMatchObject({
      code: 'invalid_input',
      status: 422,
      problems: [{ field: 'Idempotency-Key', location: 'header' }],
    });
    const body = { name: 'a', expiration_time: '2099-01-01T00:00:00Z' };
    // The private tokens API has a sentence and no list of fields for it.
    const ofPrivateTokens = await rejectionOf(lk.createPrivateToken({ body, idempotencyKey }));
    expect(ofPrivateTokens).toMatchObject({ code: 'invalid_input', status: 422, problems: [{ field: null }] });
    expect(ofPrivateTokens.problems[0]?.message).toMatch(
      /^This Idempotency-Key was already used for a different request/,
    );
  });

  test.each<[string, (lk: Latchkey, idempotencyKey: string) => Promise<unknown>]>([
    ['access tokens', (lk, idempotencyKey) => lk.createAccessToken({ body: { name: 'a' }, idempotencyKey })],
    [
      'private tokens',
      (lk, idempotencyKey) =>
        lk.createPrivateToken({ body: { name: 'a', expiration_time: '2099-01-01T00:00:00Z' }, idempotencyKey }),
    ],
  ])('that an earlier secret of the token has used is a conflict (%s)', async (_, create) => {
    const server = await startLocal();
    await create(server.client('deploy'), 'the-key');
    const { plaintext } = await server.client('deploy').rotateCurrentAccessToken();
    const error = await rejectionOf(create(server.client(plaintext), 'the-key'));
    expect(error).toMatchObject({ code: 'idempotency_conflict', status: 409, problems: [] });
  });
});

/** What is on record of an operation: its keys and how each request ended. */
function attemptsAt(server: TestingServer, operationId: string) {
  const attempts = server.requests.all().filter((request) => request.operationId === operationId);
  return {
    keys: new Set(attempts.map(({ headers }) => headers['idempotency-key'])),
    outcomes: attempts.map(({ outcome }) => outcome),
  };
}

describe('an answer that is lost after the commit', () => {
  const names = async (lk: Latchkey) => {
    const found: string[] = [];
    for await (const { name } of lk.accessTokens.all()) found.push(name);
    return found.sort();
  };

  test('of a creation: the repetition gives the one token that was made', async () => {
    const server = await startLocal();
    const lk = server.client('deploy');
    server.faults.add({ operationId: 'createAccessToken', drop: 'after-commit' });
    const { plaintext, token } = await lk.createAccessToken({ body: { name: 'made' } });
    expect(await names(lk)).toEqual(['deploy bot', 'made', 'old']);
    expect(await server.client(plaintext).getCurrentAccessToken()).toMatchObject({ id: token.id, name: 'made' });
    const { keys, outcomes } = attemptsAt(server, 'createAccessToken');
    expect(outcomes).toEqual(['dropped', 'answered']);
    expect(keys.size).toBe(1);
  });

  test('of the creation of a private token: the same', async () => {
    const server = await startLocal();
    const lk = server.client('deploy');
    server.faults.add({ operationId: 'createPrivateToken', drop: 'after-commit' });
    const body = { name: 'made', expiration_time: '2099-01-01T00:00:00Z' };
    const { id, data } = await lk.createPrivateToken({ body });
    expect(await lk.listPrivateTokens({ query: { q: 'made' } })).toMatchObject({ count: 1, results: [{ id }] });
    expect(await server.client(data).getCurrentAccessToken()).toMatchObject({ name: 'made' });
    expect(attemptsAt(server, 'createPrivateToken').outcomes).toEqual(['dropped', 'answered']);
  });

  test('of a rotation: the repetition gives the one new secret, and the one before is the first', async () => {
    const server = await startLocal();
    const lk = server.client('ada@example.org');
    const [deployBot] = server.users[0]?.tokens ?? [];
    const before = plaintextOf(server, 'deploy bot');
    server.faults.add({ operationId: 'rotateAccessToken', drop: 'after-commit' });
    const path = { token_id: deployBot?.id ?? '' };
    const { plaintext, token } = await lk.rotateAccessToken({ path, body: { gracePeriodSeconds: 60 } });
    expect(token.previousSecret?.tokenPrefix).toBe(before.slice(0, 12));
    for (const secret of [before, plaintext]) {
      expect(await server.client(secret).getCurrentAccessToken()).toMatchObject({ id: path.token_id });
    }
    expect(attemptsAt(server, 'rotateAccessToken').outcomes).toEqual(['dropped', 'answered']);
  });

  test('of a rotation of the token in use: its own secret, which has ended, still gets the new one', async () => {
    const server = await startLocal();
    const lk = server.client('deploy');
    server.faults.add({ operationId: 'rotateCurrentAccessToken', drop: 'after-commit' });
    const { plaintext, token } = await lk.rotateCurrentAccessToken({ body: { gracePeriodSeconds: 0 } });
    expect(await server.client(plaintext).getCurrentAccessToken()).toMatchObject({ id: token.id });
    expect(await rejectionOf(lk.getCurrentAccessToken())).toMatchObject({ code: 'unauthorized' });
    const { keys, outcomes } = attemptsAt(server, 'rotateCurrentAccessToken');
    expect(outcomes).toEqual(['dropped', 'answered']);
    expect(keys.size).toBe(1);
  });

  test('of each attempt: the call fails, and the caller’s own key still gets the answer', async () => {
    const server = await startLocal();
    const lk = server.client('deploy');
    server.faults.add({ operationId: 'createAccessToken', drop: 'after-commit', times: 2 });
    const input = { body: { name: 'made' }, idempotencyKey: 'job-17', maxRetries: 1 };
    expect(await rejectionOf(lk.createAccessToken(input))).toMatchObject({ code: 'network_error' });
    const { plaintext } = await lk.createAccessToken(input);
    expect(await names(server.client(plaintext))).toEqual(['deploy bot', 'made', 'old']);
  });
});

describe('within a session', () => {
  const ADA = { username: 'ada@example.org', password: 'correct horse' };
  const BOB = { username: 'bob@example.org', password: 'battery staple' };
  const seed = { users: [ADA, BOB].map(({ username: email, password }) => ({ email, password })) };

  /** A client of Ada's whose first creation loses its answer; `meanwhile` happens before the next attempt. */
  async function startLosing(meanwhile: (lk: Latchkey) => Promise<unknown>, how: 'session' | 'token' = 'session') {
    const server = await startLocal({ testing: { seed } });
    let lost = false;
    const options: LatchkeyOptions = {
      baseUrl: server.url,
      ...(how === 'token' && { token: await server.connection(ADA.username).token() }),
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        if (lost || init.method !== 'POST' || !url.endsWith('/access-tokens')) return answer;
        lost = true;
        await meanwhile(lk);
        throw new TypeError('the answer was lost');
      },
    };
    const lk = createLatchkey(options);
    if (how === 'session') await lk.logIn(ADA);
    return { server, lk };
  }

  test('a refresh between two attempts does not part the second from the answer of the first', async () => {
    let refreshToken = '';
    const { server, lk } = await startLosing((client) =>
      client.refreshSession({ body: { refresh_token: refreshToken } }),
    );
    ({ refresh_token: refreshToken } = await lk.logIn(ADA));
    const { plaintext } = await lk.createAccessToken({ body: { name: 'made' } });
    expect(await server.client(plaintext).listAccessTokens({ query: { tokenType: 'pat' } })).toMatchObject({
      items: [{ name: 'made' }],
    });
  });

  test.each(['session', 'token'] as const)('a call goes on with its %s when another logs in meanwhile', async (how) => {
    const { server, lk } = await startLosing((client) => client.logIn(BOB), how);
    const { plaintext } = await lk.createAccessToken({ body: { name: 'of Ada' } });
    expect(await server.client(plaintext).getMe()).toMatchObject({ user: { email: ADA.username } });
    expect(await lk.getMe()).toMatchObject({ user: { email: BOB.username } });
  });

  test('a call whose session has ended is not repeated in the next', async () => {
    const { lk } = await startLosing((client) => client.logOut().then(() => client.logIn(BOB)));
    expect(await rejectionOf(lk.createAccessToken({ body: { name: 'of Ada' } }))).toMatchObject({
      code: 'unauthorized',
    });
    expect(await lk.listAccessTokens({ query: { tokenType: 'pat' } })).toMatchObject({ items: [] });
  });

  test('a session that is rotated is refreshed as ever', async () => {
    const server = await startLocal({ testing: { seed } });
    const lk = createLatchkey({ baseUrl: server.url });
    await lk.logIn(ADA);
    const { plaintext } = await lk.rotateCurrentAccessToken();
    expect(await lk.getMe()).toMatchObject({ user: { email: ADA.username } });
    expect(await server.client(plaintext).getMe()).toMatchObject({ session: { tokenType: 'session' } });
  });
});
