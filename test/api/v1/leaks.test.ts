import { describe, expect, test } from 'vitest';
import {
  type AuditEvent,
  createAccessToken,
  getCurrentAccessToken,
  getMe,
  listAuditEvents,
  refreshSession,
  reportLeakedCredentials,
  revokeAccessToken,
  rotateAccessToken,
} from '../../../generated/index.js';
import { newPlaintext, Plaintext } from '../../../server/tokens/plaintext.js';
import { send } from '../../support/http.js';
import { untilActedOn } from '../../support/leaks.js';
import { answered, type Client, DAY, HOUR, MINUTE, type Service, startService } from '../../support/service.js';
import { change, rowsOf } from '../../support/store.js';

// Anybody can report a token that leaked. The answer tells nothing, and a second later the token is revoked.

const PATH = 'POST /api/v1/credentials/revoke';
const randomToken = () => newPlaintext('lk', 'pat').reveal();

async function create(client: Client, name = 'deploy') {
  return await answered(createAccessToken({ client, body: { name } }));
}

async function report(service: Service, ...credentials: string[]) {
  const { response } = await reportLeakedCredentials({ client: service.anonymous, body: { credentials } });
  expect(response.status).toBe(202);
}

async function leaksOf(client: Client): Promise<AuditEvent[]> {
  const { items } = await answered(listAuditEvents({ client, query: { limit: 200 } }));
  return items.filter(({ action, reason }) => action === 'token.leaked' || reason === 'leak').toReversed();
}

async function isValid(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}

test('a reported token is revoked within a second, and its events say who reported it and where it was', async () => {
  const service = await startService();
  const admin = await service.admin();
  const user = await service.newUser();
  const { plaintext, token } = await create(user.client);
  const url = `https://paste.example.org/?text=${plaintext}`;
  const headers = { 'User-Agent': 'scanner', 'X-Request-Id': 'report-1' };
  const json = { credentials: [plaintext], source: `found ${plaintext}`, url };
  const before = performance.now();
  expect(await send(service, PATH, { json, headers })).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
  await untilActedOn(service);
  // With room for a busy machine. The sweeper would take minutes.
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await isValid(service, plaintext)).toBe(false);
  const events = await leaksOf(admin.client);
  const masked = `${token.tokenPrefix}***`;
  const common = {
    actor: { kind: 'anonymous', userId: null },
    address: '127.0.0.1',
    userAgent: 'scanner',
    requestId: 'report-1',
    ownerId: user.session.id,
    target: { kind: 'token', tokenId: token.id, label: 'deploy', tokenPrefix: token.tokenPrefix },
  };
  const after = {
    secret: 'newest',
    kind: 'access token',
    outcome: 'revoked',
    source: `found ${masked}`,
    url: `https://paste.example.org/?text=${masked}`,
  };
  expect(events).toMatchObject([
    { action: 'token.leaked', reason: null, changes: { after }, ...common },
    { action: 'token.revoked', reason: 'leak', ...common },
  ]);
  expect(JSON.stringify(await rowsOf(service, 'select * from audit_events'))).not.toContain(plaintext);
  expect(service.log.join('')).not.toContain(plaintext);
});

/** What leaked, how it came about, and what then happens: the outcome of the event, undefined for no event. */
const SECRETS: [what: string, get: (service: Service, client: Client) => Promise<string>, outcome?: string][] = [
  ['the newest secret of a token', async (_, client) => (await create(client)).plaintext, 'revoked'],
  [
    'an earlier secret in its grace period',
    async (_, client) => {
      const { plaintext, token } = await create(client);
      const path = { token_id: token.id };
      await answered(rotateAccessToken({ client, path, body: { gracePeriodSeconds: 3_600 } }));
      return plaintext;
    },
    'revoked',
  ],
  [
    'an ended secret',
    async (_, client) => {
      const { plaintext, token } = await create(client);
      await answered(rotateAccessToken({ client, path: { token_id: token.id }, body: { gracePeriodSeconds: 0 } }));
      return plaintext;
    },
    'none',
  ],
  [
    'a revoked token',
    async (_, client) => {
      const { plaintext, token } = await create(client);
      await revokeAccessToken({ client, path: { token_id: token.id } });
      return plaintext;
    },
    'none',
  ],
  [
    'an expired token, since a rotation would revive it',
    async (service, client) => {
      const { plaintext } = await answered(createAccessToken({ client, body: { name: 'a', expiresInDays: 1 } }));
      service.clock.advance(DAY);
      return plaintext;
    },
    'revoked',
  ],
  ['the access token of a session', async (service) => (await service.newUser('b@example.org')).token, 'revoked'],
  [
    'the refresh token of a session',
    async (service) => (await service.newUser('b@example.org')).session.refresh_token,
    'revoked',
  ],
  [
    'a spent refresh token',
    async (service) => {
      const { session } = await service.newUser('b@example.org');
      const body = { refresh_token: session.refresh_token };
      await answered(refreshSession({ client: service.anonymous, body }));
      return session.refresh_token;
    },
    'none',
  ],
  ['a token that never was', () => Promise.resolve(randomToken())],
  ['no token at all', () => Promise.resolve('hunter2')],
];

test.each(SECRETS)('%s', async (_, get, outcome) => {
  const service = await startService();
  const { client } = await service.admin();
  const secret = await get(service, client);
  await report(service, secret);
  await untilActedOn(service);
  const events = await leaksOf((await service.admin()).client);
  const expected =
    outcome === undefined ? [] : outcome === 'revoked' ? ['token.leaked', 'token.revoked'] : ['token.leaked'];
  expect(events.map(({ action }) => action)).toEqual(expected);
  if (outcome !== undefined) expect(events[0]?.changes.after).toMatchObject({ outcome });
  expect(await rowsOf(service, 'select id from leak_reports')).toEqual([]);
});

test('the answer is the same for everything, and of an unknown text nothing remains', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const live = await create(client, 'live');
  const dead = await create(client, 'dead');
  await revokeAccessToken({ client, path: { token_id: dead.token.id } });
  const unknown = randomToken();
  const mixtures = [
    [live.plaintext],
    [dead.plaintext],
    [unknown],
    ['hunter2'],
    [unknown, dead.plaintext, live.plaintext],
  ];
  const answers = new Set<string>();
  for (const credentials of mixtures) {
    const headers = { 'X-Request-Id': 'the-same' };
    const answer = await send(service, PATH, { json: { credentials }, headers });
    const names = Object.entries(answer.headers).filter(([name]) => name !== 'date');
    answers.add(JSON.stringify([answer.status, names, answer.text]));
  }
  expect(answers.size).toBe(1);
  await untilActedOn(service);
  expect(await rowsOf(service, 'select id from leak_reports')).toEqual([]);
});

test('a thousand texts are one report', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const made = await Promise.all(Array.from({ length: 12 }, () => create(client)));
  const credentials = Array.from(
    { length: 1_000 },
    (_, at) => (at % 90 === 0 ? made[at / 90]?.plaintext : undefined) ?? randomToken(),
  );
  await report(service, ...credentials);
  await untilActedOn(service);
  const states = await Promise.all(made.map(({ plaintext }) => isValid(service, plaintext)));
  expect(states).toEqual(made.map(() => false));
  const body = { credentials: [...credentials, 'one more'] };
  expect((await reportLeakedCredentials({ client: service.anonymous, body })).response.status).toBe(422);
  expect(
    (await reportLeakedCredentials({ client: service.anonymous, body: { credentials: [] } })).response.status,
  ).toBe(422);
});

test('a report that a killed process left is acted on by the next one', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext } = await create(client);
  await service.stop();
  const digest = Buffer.from(newDigest(plaintext)).toString('hex');
  const bytes = service.database.startsWith('postgres') ? `decode('${digest}', 'hex')` : `x'${digest}'`;
  await change(service, `insert into leak_reports (received_at, digests) values (1, ${bytes})`);
  await service.restart();
  await untilActedOn(service);
  expect(await isValid(service, plaintext)).toBe(false);
});

test('a repetition that changes nothing is an event a day at most', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { plaintext } = await create(client);
  for (const wait of [0, MINUTE, 23 * HOUR, 2 * HOUR]) {
    service.clock.advance(wait);
    await report(service, plaintext, plaintext);
    await untilActedOn(service);
  }
  const events = await leaksOf((await service.admin()).client);
  expect(events.map(({ action }) => action)).toEqual(['token.leaked', 'token.revoked', 'token.leaked']);
});

describe('LATCHKEY_LEAK_ACTION', () => {
  test('disable disables a token, which its owner can enable again, and revokes a session', async () => {
    const service = await startService({ leakAction: 'disable' });
    const admin = await service.admin();
    const user = await service.newUser();
    const { plaintext, token } = await create(user.client);
    await report(service, plaintext, user.token);
    await untilActedOn(service);
    expect(await isValid(service, plaintext)).toBe(false);
    const events = await leaksOf(admin.client);
    const found = events.map(({ action, reason, target }) => [action, reason, target?.label]).sort();
    expect(found).toEqual([
      ['token.leaked', null, 'deploy'],
      ['token.leaked', null, 'session'],
      ['token.revoked', 'leak', 'session'],
      ['token.updated', 'leak', 'deploy'],
    ]);
    const rows = await rowsOf(service, `select revoked_at, disabled_at from access_tokens where name = 'deploy'`);
    expect(rows).toEqual([{ revoked_at: null, disabled_at: service.clock.now() }]);
    expect(token.disabled).toBe(false);
  });

  test('notify writes the event and leaves the token as it is', async () => {
    const service = await startService({ leakAction: 'notify' });
    const { client } = await service.admin();
    const { plaintext } = await create(client);
    await report(service, plaintext);
    await untilActedOn(service);
    expect((await getCurrentAccessToken({ client: service.as(plaintext) })).response.status).toBe(200);
    expect(await leaksOf(client)).toMatchObject([{ action: 'token.leaked', changes: { after: { outcome: 'none' } } }]);
  });
});

describe('who may report', () => {
  test.each([
    ['Authorization', (token: string) => `Bearer ${token}`],
    ['Authorization', () => 'Basic Og=='],
    ['X-API-Key', () => 'nonsense'],
    ['Cookie', (token: string) => `vai_token=${token}`],
  ])('nobody with a credential: %s', async (name, value) => {
    const service = await startService();
    const { client, token } = await service.admin();
    const { plaintext } = await create(client);
    const headers = { [name]: value(token) };
    const answer = await send(service, PATH, { json: { credentials: [plaintext] }, headers });
    expect(answer).toMatchObject({ status: 403, body: { code: 'credential_not_allowed' } });
    expect(await rowsOf(service, 'select id from leak_reports')).toEqual([]);
  });

  test('sixty times an hour from one address, over all processes', async () => {
    const service = await startService({ trustProxy: 1 });
    const other = await startService({ trustProxy: 1, database: service.database });
    other.clock.set(service.clock.now());
    const from = (address: string, to = service) =>
      send(to, PATH, { json: { credentials: ['x'] }, headers: { 'X-Forwarded-For': address } });
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, at) => from('203.0.113.7', at % 2 === 0 ? service : other)),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(60);
    expect(refused).toHaveLength(4);
    for (const { headers, body } of refused) {
      expect(headers['retry-after']).toBe('3600');
      expect(body).toMatchObject({ code: 'too_many_requests' });
    }
    expect((await from('203.0.113.8')).status).toBe(202);
    service.clock.advance(HOUR - 1);
    expect((await from('203.0.113.7')).headers['retry-after']).toBe('1');
    service.clock.advance(1);
    expect((await from('203.0.113.7')).status).toBe(202);
  });
});

function newDigest(text: string): Uint8Array {
  return new Plaintext(text).digest().bytes;
}
