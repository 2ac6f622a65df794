import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createAccessToken, getMe, refreshSession, revokeAccessToken } from '../../generated/index.js';
import { openUsers } from '../../server/index.js';
import { type Answer, type RequestParts, send } from '../support/http.js';
import { ANY_STRING, without } from '../support/matchers.js';
import { UNKNOWN_TOKEN, withChecksum } from '../support/plaintext.js';
import { expectRefusal, logged } from '../support/refusal.js';
import { answered, type Client, DAY, HOUR, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { bytesOf } from '../support/store.js';

const ME = 'GET /api/v1/auth/me';
const CREATE = 'POST /api/v1/access-tokens';
const INVALID = 'Bearer error="invalid_token"';

async function createPat(client: Client, expiresInDays?: number): Promise<string> {
  const body = { name: 'a', ...(expiresInDays !== undefined && { expiresInDays }) };
  return (await answered(createAccessToken({ client, body }))).plaintext;
}

describe('a token in any one place is a credential', () => {
  const shared = shareService(async (_, { client, token }) => ({ pat: await createPat(client), session: token }));
  const inEachPlace: [string, (token: string) => Record<string, string>][] = [
    ['Authorization', (token) => ({ Authorization: `Bearer ${token}` })],
    ['Authorization, the scheme in lower case', (token) => ({ authorization: `bearer ${token}` })],
    ['Authorization, the scheme in mixed case', (token) => ({ Authorization: `BEARer ${token}` })],
    ['X-API-Key', (token) => ({ 'X-API-Key': token })],
    ['the cookie', (token) => ({ Cookie: `vai_token=${token}` })],
    ['the cookie, among others', (token) => ({ Cookie: `theme=dark; vai_token=${token}; vai_token2=x` })],
    ['all three', (token) => ({ Authorization: `Bearer ${token}`, 'X-API-Key': token, Cookie: `vai_token=${token}` })],
  ];
  test.each(inEachPlace)('%s', async (_, headers) => {
    const { service, made } = await shared();
    for (const [token, tokenType] of [
      [made.pat, 'pat'],
      [made.session, 'session'],
    ] as const) {
      const answer = await send(service, ME, { headers: headers(token) });
      expect(answer).toMatchObject({ status: 200, body: { session: { tokenType } } });
    }
  });
});

describe('several credentials that are not the same token are 401', () => {
  const shared = shareService(async (_, { client, token: good }) => ({ good, other: await createPat(client) }));
  test.each<[string, (good: string, other: string) => Record<string, string | string[]>]>([
    ['bearer and key', (good, other) => ({ Authorization: `Bearer ${good}`, 'X-API-Key': other })],
    ['bearer and cookie', (good, other) => ({ Authorization: `Bearer ${good}`, Cookie: `vai_token=${other}` })],
    ['key and cookie', (good, other) => ({ 'X-API-Key': good, Cookie: `vai_token=${other}` })],
    ['a bad bearer and a good key', (good) => ({ Authorization: `Bearer ${UNKNOWN_TOKEN}`, 'X-API-Key': good })],
    ['a bad key and a good cookie', (good) => ({ 'X-API-Key': 'nonsense', Cookie: `vai_token=${good}` })],
    ['a good bearer and a bad cookie', (good) => ({ Authorization: `Bearer ${good}`, Cookie: 'vai_token=nonsense' })],
    ['another scheme and a good key', (good) => ({ Authorization: 'Basic dXNlcjpwYXNz', 'X-API-Key': good })],
    ['a bearer without a token and a good key', (good) => ({ Authorization: 'Bearer', 'X-API-Key': good })],
    ['two Authorization headers', (good, other) => ({ Authorization: [`Bearer ${good}`, `Bearer ${other}`] })],
    ['two X-API-Key headers', (good, other) => ({ 'X-API-Key': [good, other] })],
    ['two cookies', (good, other) => ({ Cookie: `vai_token=${good}; vai_token=${other}` })],
    ['two good ones and a bad one', (good) => ({ 'X-API-Key': [good, good], Cookie: `vai_token=${UNKNOWN_TOKEN}` })],
  ])('%s', async (_, headers) => {
    const { service, made } = await shared();
    for (const line of [ME, CREATE] as const) {
      const parts = { headers: headers(made.good, made.other), ...(line === CREATE && { json: { name: 'a' } }) };
      const answer = await expectRefusal(service, () => send(service, line, parts), { status: 401 });
      expect(answer.headers['www-authenticate']).toBe(INVALID);
      expect((await logged(service, answer)).reason).toBe('several');
    }
  });
});

const SECURED = [
  'GET /api/v1/auth/private_tokens/',
  'POST /api/v1/auth/private_tokens/',
  'DELETE /api/v1/auth/private_tokens/1/',
  'GET /api/v1/access-tokens',
  'POST /api/v1/access-tokens',
  'DELETE /api/v1/access-tokens',
  'GET /api/v1/access-tokens/497f6eca-6276-4993-bfeb-53cbbbba6f08',
  'DELETE /api/v1/access-tokens/497f6eca-6276-4993-bfeb-53cbbbba6f08',
  'POST /api/v1/auth/logout',
  'GET /api/v1/auth/me',
] as const;

describe('without a good credential', () => {
  const shared = shareService();
  test.each(SECURED)('%s is 401, whatever else is wrong with it', async (line) => {
    const { service } = await shared();
    const surface = line.includes('private_tokens') ? {} : { code: 'unauthorized' };
    for (const [parts, challenge] of [
      [{}, 'Bearer'],
      [{ token: UNKNOWN_TOKEN }, INVALID],
      [{ token: UNKNOWN_TOKEN, ...(line.startsWith('POST') && { body: 'no JSON' }) }, INVALID],
    ] as const) {
      const { headers } = await expectRefusal(service, () => send(service, line, parts), {
        status: 401,
        body: { detail: ANY_STRING, ...surface },
      });
      expect(headers['www-authenticate']).toBe(challenge);
    }
  });

  test.each<[string, string | undefined, string]>([
    ['nothing', undefined, 'Bearer, Basic realm="Latchkey"'],
    ['a bearer token', `Bearer ${UNKNOWN_TOKEN}`, INVALID],
    ['a password', `Basic ${Buffer.from(`me:${UNKNOWN_TOKEN}`).toString('base64')}`, 'Basic realm="Latchkey"'],
    [
      'a password without a user name',
      `Basic ${Buffer.from(UNKNOWN_TOKEN).toString('base64')}`,
      'Basic realm="Latchkey"',
    ],
    ['no base64', 'Basic !', 'Basic realm="Latchkey"'],
    ['nothing but the name of the scheme', 'basic', 'Basic realm="Latchkey"'],
    ['another scheme', 'Digest abc', INVALID],
  ])('an OAuth client that sends %s is challenged in the way that it tried', async (_, authorization, challenge) => {
    const { service } = await shared();
    for (const line of ['POST /oauth/introspect', 'POST /oauth/revoke'] as const) {
      const { headers } = await expectRefusal(
        service,
        () => send(service, line, { headers: { Authorization: authorization } }),
        { status: 401, body: { error: 'invalid_client', error_description: ANY_STRING } },
      );
      expect(headers['www-authenticate']).toBe(challenge);
    }
  });

  test.each(['/healthz', '/readyz', '/openapi.json', '/openapi.yaml'])('GET %s answers', async (path) => {
    const { service } = await shared();
    expect((await send(service, `GET ${path}`)).status).toBe(200);
    expect((await send(service, `GET ${path}`, { token: UNKNOWN_TOKEN })).status).toBe(200);
  });
});

test('bad credentials look alike outside, and the log tells them apart', async () => {
  const service = await startService();
  const { client, token, session } = await service.newUser('someone@example.org');
  const other = await service.admin();
  const kinds: [string, string][] = [
    ['unknown', UNKNOWN_TOKEN],
    ['malformed', 'nonsense'],
    ['malformed', `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`],
    ['malformed', token.toLowerCase().replace('lk_ses', 'LK_SES')],
    ['malformed', token.slice(0, 12)],
    ['malformed', createHash('sha256').update(token).digest('hex')],
    ['malformed', session.refresh_token],
  ];
  kinds.push(['expired', await createPat(client, 1)]);
  const revoked = await answered(createAccessToken({ client, body: { name: 'a' } }));
  await revokeAccessToken({ client, path: { token_id: revoked.token.id } });
  kinds.push(['revoked', revoked.plaintext]);
  kinds.push(['owner_disabled', await createPat(client, 2)]);
  kinds.push(['expired', other.token]);
  service.clock.advance(DAY);
  const users = await openUsers(service.database);
  await users.disable('someone@example.org');
  await users.close();

  const outside = ({ status, headers, text }: Answer) => ({
    status,
    headers: without(headers, 'date', 'x-request-id'),
    text,
  });
  const seen = [];
  for (const [reason, bad] of kinds) {
    for (const headers of [{ Authorization: `Bearer ${bad}` }, { 'X-API-Key': bad }, { Cookie: `vai_token=${bad}` }]) {
      const answer = await expectRefusal(service, () => send(service, ME, { headers }), {
        status: 401,
        secrets: [bad.slice(13) || bad],
      });
      seen.push(outside(answer));
      expect((await logged(service, answer)).reason).toBe(reason);
    }
  }
  for (const answer of seen) expect(answer).toEqual(seen[0]);
  const missing = await send(service, ME);
  expect((await logged(service, missing)).reason).toBe('missing');
  expect(missing.text).toBe(seen[0]?.text);
});

test.each([
  ['Basic', 'Basic dXNlcjpwYXNz'],
  ['no token', 'Bearer'],
  ['two tokens', `Bearer ${UNKNOWN_TOKEN} ${UNKNOWN_TOKEN}`],
  ['no scheme', UNKNOWN_TOKEN],
  ['an empty value', ''],
])('an Authorization header with %s is a malformed credential', async (_, Authorization) => {
  const service = await startService();
  const answer = await expectRefusal(service, () => send(service, ME, { headers: { Authorization } }), { status: 401 });
  expect(answer.headers['www-authenticate']).toBe(INVALID);
  expect((await logged(service, answer)).reason).toBe('malformed');
});

test('a refresh token is no credential in any place', async () => {
  const service = await startService();
  const { session } = await service.admin();
  const { refresh_token: token } = session;
  for (const headers of [
    { Authorization: `Bearer ${token}` },
    { 'X-API-Key': token },
    { Cookie: `vai_token=${token}` },
  ]) {
    await expectRefusal(service, () => send(service, ME, { headers }), { status: 401 });
  }
  const { response } = await refreshSession({ client: service.anonymous, body: { refresh_token: token } });
  expect(response.status).toBe(200);
});

describe('a credential in the query or the body is none', () => {
  const shared = shareService();
  test.each<[string, string, (token: string) => RequestParts & { query?: string }]>([
    ['access_token in the query', 'GET', (token) => ({ query: `access_token=${token}` })],
    ['vai_token in the query', 'GET', (token) => ({ query: `vai_token=${token}` })],
    ['X-API-Key in the query', 'DELETE', (token) => ({ query: `X-API-Key=${token}` })],
    ['access_token in the body', 'POST', (token) => ({ json: { name: 'a', access_token: token } })],
    ['another cookie', 'GET', (token) => ({ headers: { Cookie: `VAI_TOKEN=${token}; token=${token}` } })],
    ['another header', 'GET', (token) => ({ headers: { 'X-Auth-Token': token, 'X-Access-Token': token } })],
    ['the user part of the URL', 'GET', (token) => ({ headers: { Host: `${token}@127.0.0.1` } })],
  ])('%s', async (_, method, make) => {
    const { service, admin } = await shared();
    const { query, ...parts } = make(admin.token);
    const line = `${method} /api/v1/access-tokens${query === undefined ? '' : `?${query}`}` as const;
    const { headers } = await expectRefusal(service, () => send(service, line, parts), { status: 401 });
    expect(headers['www-authenticate']).toBe('Bearer');
  });

  test('beside a good credential it is an unknown parameter', async () => {
    const { service, admin } = await shared();
    const { token } = admin;
    const line = `GET /api/v1/access-tokens?access_token=${token}` as const;
    await expectRefusal(service, () => send(service, line, { token }), { status: 422 });
  });
});

describe('on the strength of the cookie alone', () => {
  const shared = shareService();
  const foreign: [string, Record<string, string>][] = [
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sibling domain', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['an opaque origin', { Origin: 'null' }],
    ['another port', { Origin: 'http://127.0.0.1:1' }],
    ['an origin that begins like this one', { Origin: 'http://127.0.0.1.evil.example' }],
    ['another site that claims this origin', { 'Sec-Fetch-Site': 'cross-site', Origin: 'SELF' }],
  ];
  const withOrigin = (service: Service, { Origin, ...rest }: Record<string, string>): Record<string, string> =>
    Origin === undefined ? rest : { ...rest, Origin: Origin === 'SELF' ? service.url : Origin };

  test.each(foreign)('a change that %s asks for is 403', async (_, headers) => {
    const { service, admin } = await shared();
    const sent = { ...withOrigin(service, headers), Cookie: `vai_token=${admin.token}` };
    for (const line of SECURED.filter((each) => !each.startsWith('GET'))) {
      const body = { detail: ANY_STRING, ...(!line.includes('private') && { code: 'cross_site_request' }) };
      await expectRefusal(service, () => send(service, line, { headers: sent }), { status: 403, body });
    }
  });

  test.each(foreign)('%s may read', async (_, headers) => {
    const { service, admin } = await shared();
    const sent = { ...withOrigin(service, headers), Cookie: `vai_token=${admin.token}` };
    for (const method of ['GET', 'HEAD']) {
      expect((await send(service, `${method} /api/v1/access-tokens`, { headers: sent })).status).toBe(200);
    }
  });

  test.each(foreign)('is not what a request of %s with the token in a header too is made', async (_, headers) => {
    const { service, admin } = await shared();
    const { token } = admin;
    for (const explicit of [{ Authorization: `Bearer ${token}` }, { 'X-API-Key': token }]) {
      const sent = { ...withOrigin(service, headers), ...explicit, Cookie: `vai_token=${token}` };
      expect((await send(service, CREATE, { headers: sent, json: { name: 'a' } })).status).toBe(201);
    }
  });

  test.each<[string, Record<string, string>]>([
    ['no browser', {}],
    ['a page of this origin', { 'Sec-Fetch-Site': 'same-origin', Origin: 'SELF' }],
    ['a page of this origin, in an older browser', { Origin: 'SELF' }],
  ])('a change that %s asks for is made', async (_, headers) => {
    const { service, admin } = await shared();
    const sent = { ...withOrigin(service, headers), Cookie: `vai_token=${admin.token}` };
    expect((await send(service, CREATE, { headers: sent, json: { name: 'a' } })).status).toBe(201);
  });
});

describe('plaintexts', () => {
  test('are brand, kind, 30 base62 characters and the CRC32 of what stands before', async () => {
    const { admin } = await startService();
    const { client, session } = await admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    for (const [each, kind] of [
      [plaintext, 'pat'],
      [session.access_token, 'ses'],
      [session.refresh_token, 'ref'],
    ] as const) {
      expect(each).toMatch(new RegExp(`^lk_${kind}_[0-9A-Za-z]{36}$`));
      expect(withChecksum(each.slice(0, -6))).toBe(each);
    }
    expect(token.tokenPrefix).toBe(plaintext.slice(0, 12));
  });

  test('carry the brand that the operator has chosen, and no other is known', async () => {
    const service = await startService({ brand: 'acme' });
    const { client, session } = await service.admin();
    const { plaintext, token } = await answered(createAccessToken({ client, body: { name: 'a' } }));
    expect(plaintext).toMatch(/^acme_pat_[0-9A-Za-z]{36}$/);
    expect(session.refresh_token).toMatch(/^acme_ref_/);
    expect(token.tokenPrefix).toBe(plaintext.slice(0, 12));
    expect((await getMe({ client: service.as(plaintext) })).response.status).toBe(200);
    const rebranded = withChecksum(plaintext.slice(0, -6).replace('acme', 'lk'));
    await expectRefusal(service, () => getMe({ client: service.as(rebranded) }), { status: 401 });
  });

  test('are never stored: the database has half of the SHA-256 digest and the prefix alone', async () => {
    const service = await startService();
    const { client, token, session } = await service.admin();
    const pat = await createPat(client);
    await answered(getMe({ client: service.as(pat) }));
    await service.stop();
    const file = await bytesOf(service);
    for (const plaintext of [token, session.refresh_token, pat]) {
      expect(file.includes(createHash('sha256').update(plaintext).digest().subarray(0, 16))).toBe(true);
      expect(file.includes(plaintext)).toBe(false);
      expect(file.includes(plaintext.slice(7, 37))).toBe(false);
      expect(service.log.join('')).not.toContain(plaintext);
    }
    expect(file.includes(pat.slice(0, 12))).toBe(true);
  });
});

test('a credential holds to the millisecond, on every operation that needs one', async () => {
  const service = await startService();
  const { token } = await service.admin();
  const reads = SECURED.filter((line) => line.startsWith('GET'));
  const statuses = async () =>
    await Promise.all(reads.map(async (line) => (await send(service, line, { token })).status));
  service.clock.advance(HOUR - 1);
  expect(await statuses()).not.toContain(401);
  service.clock.advance(1);
  expect(await statuses()).toEqual(reads.map(() => 401));
});
