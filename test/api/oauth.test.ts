import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type IntrospectionRequestOptions,
  introspectionRequest,
  None,
  processIntrospectionResponse,
  processRevocationResponse,
  revocationRequest,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import {
  createAccessToken,
  createPrivateToken,
  getAccessToken,
  getMe,
  refreshSession,
  revokeAccessToken,
  rotateAccessToken,
  updateAccessToken,
} from '../../generated/index.js';
import { createCountingDatabase } from '../support/counting-database.js';
import { createFaultyDatabase } from '../support/faulty-database.js';
import { type RequestParts, send } from '../support/http.js';
import { ANY_STRING, matching } from '../support/matchers.js';
import { UNKNOWN_TOKEN } from '../support/plaintext.js';
import { CLOSED, OPEN, presentTokens } from '../support/presented.js';
import { expectNoSecret, expectRefusal, logged } from '../support/refusal.js';
import { answered, type Client, DAY, HOUR, MINUTE, SECOND, type Service, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { contentOf } from '../support/store.js';

const INTROSPECT = 'POST /oauth/introspect';
const REVOKE = 'POST /oauth/revoke';
const FORM = 'application/x-www-form-urlencoded';
const BOTH_WAYS = 'Bearer, Basic realm="Latchkey"';
const BAD_BEARER = 'Bearer error="invalid_token"';
const BAD_BASIC = 'Basic realm="Latchkey"';

const bearer =
  (token: string): ClientAuth =>
  (_server, _client, _body, headers) => {
    headers.set('Authorization', `Bearer ${token}`);
  };
const WAYS: [string, (token: string) => ClientAuth][] = [
  ['Basic', ClientSecretBasic],
  ['bearer', bearer],
];

/** A stock OAuth client. */
const resourceServer = { client_id: 'https://api.example.org/ resource: server' };
const authorizationServer = ({ url }: Service) => ({
  issuer: url,
  introspection_endpoint: `${url}/oauth/introspect`,
  revocation_endpoint: `${url}/oauth/revoke`,
});
const insecure = { [allowInsecureRequests]: true };

async function introspect(
  service: Service,
  auth: ClientAuth,
  token: string,
  options: IntrospectionRequestOptions = {},
): Promise<unknown> {
  const server = authorizationServer(service);
  const response = await introspectionRequest(server, resourceServer, auth, token, { ...insecure, ...options });
  return await processIntrospectionResponse(server, resourceServer, response);
}

async function revoke(service: Service, auth: ClientAuth, token: string): Promise<Response> {
  const response = await revocationRequest(authorizationServer(service), resourceServer, auth, token, insecure);
  await processRevocationResponse(response.clone());
  return response;
}

function sendForm(service: Service, line: `${string} ${string}`, body: string, { headers, ...parts }: RequestParts) {
  return send(service, line, { ...parts, body, headers: { 'Content-Type': FORM, ...headers } });
}

function basic(token: string, user = ''): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
}

async function create(client: Client, expiresInDays: number | null = null) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
}

function get(client: Client, token_id: string) {
  return answered(getAccessToken({ client, path: { token_id } }));
}

function toSeconds(instant: string): number {
  return Math.floor(Date.parse(instant) / SECOND);
}

async function isAccepted(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}

const shared = shareService(presentTokens);

describe('introspecting', () => {
  describe.each(WAYS)('by %s', (_, authOf) => {
    test.each(OPEN)('%s tells what it is', async (name) => {
      const { service, made } = await shared();
      const { plaintext, token, owner } = made.tokens[name];
      expect(await introspect(service, authOf(made.asker.token), plaintext)).toEqual({
        active: true,
        token_type: 'Bearer',
        scope: 'tokens:read tokens:verify tokens:write',
        sub: String(owner?.session.id),
        username: owner?.email,
        jti: token?.id,
        iat: toSeconds(token?.createdAt ?? ''),
        ...(token?.expiresAt != null && { exp: toSeconds(token.expiresAt) }),
      });
    });

    test.each(CLOSED)('%s tells nothing but that it is not active', async (name) => {
      const { service, made } = await shared();
      expect(await introspect(service, authOf(made.asker.token), made.tokens[name].plaintext)).toEqual({
        active: false,
      });
    });

    test('works with a session, with a token, and about the caller itself', async () => {
      const { service, made } = await shared();
      const { plaintext } = made.tokens['a token with one'];
      for (const own of [made.asker.token, plaintext]) {
        expect(await introspect(service, authOf(own), plaintext)).toMatchObject({ active: true });
      }
    });

    test('takes parameters that it does not know, and needs no hint', async () => {
      const { service, made } = await shared();
      const additionalParameters = {
        token_type_hint: 'refresh_token',
        client_id: 'somebody',
        client_secret: UNKNOWN_TOKEN,
        resource: 'https://api.example.org/',
        __proto__x: '',
        constructor: '1',
        'a b&c=d': 'ä😀',
      };
      const { plaintext } = made.tokens['a token with one'];
      const auth = authOf(made.asker.token);
      const plain = await introspect(service, auth, plaintext);
      expect(await introspect(service, auth, plaintext, { additionalParameters })).toEqual(plain);
      expect(plain).toMatchObject({ active: true });
    });

    test('answers JSON to a client that would rather have a JWT', async () => {
      const { service, made } = await shared();
      const { plaintext } = made.tokens['a token with one'];
      const asked = introspect(service, authOf(made.asker.token), plaintext, { requestJwtResponse: true });
      expect(await asked).toMatchObject({ active: true });
    });
  });

  test.each(CLOSED)('%s is answered in the same bytes as any other', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const answer = await sendForm(service, INTROSPECT, `token=${plaintext}`, { token: made.asker.token });
    expect(answer).toMatchObject({
      status: 200,
      text: '{"active":false}',
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    });
    await expectNoSecret(service, answer, [plaintext.slice(13) || plaintext]);
  });

  test.each(OPEN)('%s leaves its plaintext in no answer and no log', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const answer = await sendForm(service, INTROSPECT, `token=${plaintext}`, { token: made.asker.token });
    expect(answer.body).toMatchObject({ active: true });
    await expectNoSecret(service, answer, [plaintext.slice(13)]);
  });

  test('never names an end later than the true one', async () => {
    const service = await startService();
    const { client, token } = await service.admin();
    const soonest = service.clock.now() + 1;
    const ends = fc.integer({ min: soonest, max: soonest + 2 * HOUR });
    await fc.assert(
      fc.asyncProperty(ends, async (end) => {
        const expiration_time = new Date(end).toISOString();
        const { data } = await answered(createPrivateToken({ client, body: { name: 'report', expiration_time } }));
        const { exp } = (await introspect(service, ClientSecretBasic(token), data)) as { exp: number };
        expect(exp * SECOND).toBeLessThanOrEqual(end);
        expect(exp * SECOND).toBeGreaterThan(end - SECOND);
      }),
      { numRuns: 50 },
    );
  });

  test('of an earlier secret names the end of its grace period', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client, 30);
    const body = { gracePeriodSeconds: HOUR / SECOND };
    const rotated = await answered(rotateAccessToken({ client, path: { token_id: token.id }, body }));
    const endOf = async (secret: string) =>
      ((await introspect(service, bearer(own), secret)) as { exp: number }).exp * SECOND;
    expect(await endOf(plaintext)).toBe(service.clock.now() + HOUR);
    expect(await endOf(rotated.plaintext)).toBe(service.clock.now() + 30 * DAY);
  });

  test('counts as a use of a token that is active, and of no other', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext: keeper } = await create(client);
    const [used, stopped] = [await create(client), await create(client)];
    await updateAccessToken({ client, path: { token_id: stopped.token.id }, body: { disabled: true } });
    service.clock.advance(MINUTE);
    for (const { plaintext } of [used, stopped]) await introspect(service, bearer(keeper), plaintext);
    await service.restart();
    expect((await get(service.as(keeper), used.token.id)).lastUsedAt).toBe('2030-06-15T12:01:00.000Z');
    expect((await get(service.as(keeper), stopped.token.id)).lastUsedAt).toBeNull();
  });

  test('asks the database once about a token, and not at all about what cannot be one', async () => {
    const counting = createCountingDatabase();
    const service = await startService({ openDatabase: (path) => counting.open(path) });
    const { client, token } = await service.admin();
    const { plaintext } = await create(client);
    const queriesFor = async (presented: string) => {
      const before = counting.queries();
      await introspect(service, ClientSecretBasic(token), presented);
      return counting.queries() - before;
    };
    // One of them authenticates the caller.
    expect(await queriesFor(plaintext)).toBe(2);
    expect(await queriesFor('nonsense')).toBe(1);
  });
});

describe('revoking', () => {
  test.each(WAYS)('by %s ends a token from the answer on, and answers 200 without a body', async (_, authOf) => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    service.clock.advance(MINUTE);
    const response = await revoke(service, authOf(own), plaintext);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(response.headers.get('Content-Type')).toBeNull();
    expect(await isAccepted(service, plaintext)).toBe(false);
    expect((await get(client, token.id)).revokedAt).toBe('2030-06-15T12:01:00.000Z');
  });

  test.each(WAYS)('by %s ends the very token that it is asked with', async (_, authOf) => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client);
    await revoke(service, authOf(plaintext), plaintext);
    expect(await isAccepted(service, plaintext)).toBe(false);
    await expect(revoke(service, authOf(plaintext), plaintext)).rejects.toThrow(WWWAuthenticateChallengeError);
  });

  test('ends somebody else’s token: to hold it is authority enough', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const finder = await service.newUser();
    const [leaked, other] = [await create(client), await create(client)];
    const allowedNothing = await answered(
      createAccessToken({ client: finder.client, body: { name: 'scanner', scopes: [] } }),
    );
    await revoke(service, bearer(allowedNothing.plaintext), leaked.plaintext);
    expect(await isAccepted(service, leaked.plaintext)).toBe(false);
    expect(await isAccepted(service, other.plaintext)).toBe(true);
  });

  test.each([
    ['session token', 'access_token'],
    ['refresh token', 'refresh_token'],
  ] as const)('of a %s ends its session, and no other of the same user', async (_, member) => {
    const service = await startService();
    const admin = await service.admin();
    const { session, email, password } = await service.newUser();
    const other = await service.logIn(email, password);
    await revoke(service, bearer(admin.token), session[member]);
    expect(await isAccepted(service, session.access_token)).toBe(false);
    const body = { refresh_token: session.refresh_token };
    expect((await refreshSession({ client: service.anonymous, body })).response.status).toBe(401);
    expect(await isAccepted(service, other.token)).toBe(true);
  });

  test('of a spent refresh token ends the session that it was refreshed to', async () => {
    const service = await startService();
    const admin = await service.admin();
    const { session } = await service.newUser();
    const body = { refresh_token: session.refresh_token };
    const refreshed = await answered(refreshSession({ client: service.anonymous, body }));
    await revoke(service, bearer(admin.token), session.refresh_token);
    expect(await isAccepted(service, refreshed.access_token)).toBe(false);
  });

  test('of an earlier secret in its grace period ends the token with all its secrets', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    const body = { gracePeriodSeconds: 60 };
    const rotated = await answered(rotateAccessToken({ client, path: { token_id: token.id }, body }));
    service.clock.advance(MINUTE - 1);
    await revoke(service, bearer(own), plaintext);
    for (const secret of [plaintext, rotated.plaintext]) expect(await isAccepted(service, secret)).toBe(false);
  });

  test('of a token that is disabled or has expired ends it for good', async () => {
    const service = await startService();
    const before = await service.admin();
    const [disabled, expired] = [await create(before.client), await create(before.client, 1)];
    await updateAccessToken({
      client: before.client,
      path: { token_id: disabled.token.id },
      body: { disabled: true },
    });
    service.clock.advance(DAY);
    const { client, token: own } = await service.admin();
    for (const { plaintext, token } of [disabled, expired]) {
      await revoke(service, bearer(own), plaintext);
      const { response } = await rotateAccessToken({ client, path: { token_id: token.id } });
      expect(response.status).toBe(409);
      expect((await get(client, token.id)).revokedAt).toBe('2030-06-16T12:00:00.000Z');
    }
  });

  test.each([
    'nonsense',
    'a token nobody was given',
    'a session token nobody was given',
    'an earlier secret without a grace period',
    'an earlier secret after its grace period',
    'a revoked token',
    'a session that was logged out of',
  ] as const)('of %s is 200 without a body too, and changes nothing', async (name) => {
    const { service, made } = await shared();
    const { plaintext } = made.tokens[name];
    const before = await contentOf(service);
    const answer = await sendForm(service, REVOKE, `token=${plaintext}`, { token: made.asker.token });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'content-length': '0' } });
    expect(await contentOf(service)).toEqual(before);
    await expectNoSecret(service, answer, [plaintext.slice(13) || plaintext]);
  });

  test('of an expired refresh token changes nothing', async () => {
    const service = await startService();
    const { session } = await service.newUser();
    service.clock.advance(14 * DAY);
    const admin = await service.admin();
    const before = await contentOf(service);
    await revoke(service, bearer(admin.token), session.refresh_token);
    expect(await contentOf(service)).toEqual(before);
  });

  test('of a token that is revoked already keeps its first instant', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const { plaintext, token } = await create(client);
    await revokeAccessToken({ client, path: { token_id: token.id } });
    const { revokedAt } = await get(client, token.id);
    service.clock.advance(MINUTE);
    await revoke(service, bearer(own), plaintext);
    expect((await get(client, token.id)).revokedAt).toBe(revokedAt);
  });

  test('of many at once by many ends each', async () => {
    const service = await startService();
    const { client, token: own } = await service.admin();
    const made = await Promise.all(Array.from({ length: 20 }, () => create(client)));
    const both = [...made, ...made].map(({ plaintext }) => revoke(service, bearer(own), plaintext));
    for (const { status } of await Promise.all(both)) expect(status).toBe(200);
    for (const { plaintext } of made) expect(await isAccepted(service, plaintext)).toBe(false);
  });
});

describe('a bad request is 400 in the words of RFC 6749', () => {
  const target = shareService(async (_, { client }) => await create(client));

  describe.each([INTROSPECT, REVOKE] as const)('%s', (line) => {
    test.each<[string, (token: string) => string, unknown]>([
      ['without a body', () => '', 'A body is required'],
      ['without a token', () => 'token_type_hint=access_token', 'token: Field required'],
      ['with a misspelt token', (token) => `Token=${token}`, 'token: Field required'],
      ['with an empty token', () => 'token=', matching(/^token: .*at least 1 character$/)],
      ['with 4097 characters', () => `token=${'a'.repeat(4_097)}`, matching(/^token: .*at most 4096 characters$/)],
      ['with the token twice', (token) => `token=${token}&token=${token}`, 'token: Parameter should be sent once'],
      ['with an unknown parameter twice', (token) => `a=1&token=${token}&a=1`, 'a: Parameter should be sent once'],
      [
        'with a name outside of what may be said',
        (token) => `%22%0A%C3%A4=1&%22%0A%C3%A4=&token=${token}`,
        matching(/^\?\?\?: /),
      ],
      [
        'with a long name twice',
        (token) => `${'a&'.repeat(2).replaceAll('a', 'a'.repeat(2_000))}token=${token}`,
        ANY_STRING,
      ],
      ['with broken percent-encoding', (token) => `token=${token}&a=%ff`, 'Input should be UTF-8 in percent-encoding'],
      ['with raw text', (token) => `token=${token}&a=ä`, 'Input should be UTF-8 in percent-encoding'],
      ['with a line end', (token) => `token=${token}\n`, 'Input should be UTF-8 in percent-encoding'],
    ])('%s', async (_, bodyOf, error_description) => {
      const { service, admin, made } = await target();
      await expectRefusal(service, () => sendForm(service, line, bodyOf(made.plaintext), { token: admin.token }), {
        status: 400,
        body: { error: 'invalid_request', error_description },
        secrets: [made.plaintext],
      });
    });

    test.each(['token', 'a'])('with %s in the query, whatever the body says', async (name) => {
      const { service, admin, made } = await target();
      for (const body of ['', `token=${made.plaintext}`]) {
        const call = () => sendForm(service, `${line}?${name}=${made.plaintext}`, body, { token: admin.token });
        await expectRefusal(service, call, {
          status: 400,
          body: {
            error: 'invalid_request',
            error_description: matching(new RegExp(`\\b${name}: Extra inputs are not`)),
          },
          secrets: [made.plaintext],
        });
      }
    });

    test.each<[string, number, RequestParts]>([
      ['JSON', 415, { body: '{"token":"a"}', headers: { 'Content-Type': 'application/json' } }],
      ['no content type', 415, { body: 'token=a', headers: { 'Content-Type': undefined } }],
      ['another charset', 415, { body: 'token=a', headers: { 'Content-Type': `${FORM}; charset=iso-8859-1` } }],
      ['a content encoding', 415, { body: 'token=a', headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip' } }],
      ['several parts', 415, { body: '--a--', headers: { 'Content-Type': 'multipart/form-data; boundary=a' } }],
      ['more than 64 KiB', 413, { body: `token=${'a'.repeat(65_536)}`, headers: { 'Content-Type': FORM } }],
    ])('with %s is %d', async (_, status, parts) => {
      const { service, admin } = await target();
      await expectRefusal(service, () => send(service, line, { token: admin.token, ...parts }), {
        status,
        body: { error: 'invalid_request', error_description: ANY_STRING },
      });
    });

    test('with another method is 405', async () => {
      const { service, admin } = await target();
      const answer = await expectRefusal(
        service,
        () => send(service, line.replace('POST', 'GET') as typeof line, { token: admin.token }),
        {
          status: 405,
          body: { error: 'invalid_request', error_description: ANY_STRING },
        },
      );
      expect(answer.headers.allow).toBe('POST, OPTIONS');
    });

    test('takes a form with a charset, in any letter case', async () => {
      const { service, admin } = await target();
      const headers = { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; Charset=UTF-8' };
      const answer = await sendForm(service, line, 'token=%6cothing&plus=a+b', { token: admin.token, headers });
      expect(answer.status).toBe(200);
    });

    test('with a database that does not answer is 503, and no verdict', async () => {
      const faulty = createFaultyDatabase();
      const service = await startService({ openDatabase: (path) => faulty.open(path) });
      const { client, token } = await service.admin();
      const { plaintext } = await create(client);
      // The caller is authenticated before the disk fails.
      for (const spared of [0, 1]) {
        faulty.set('storage', spared);
        const answer = await sendForm(service, line, `token=${plaintext}`, { token });
        expect(answer).toMatchObject({
          status: 503,
          headers: { 'retry-after': matching(/^[1-9]\d*$/) },
          body: { error: 'temporarily_unavailable', error_description: ANY_STRING },
        });
      }
      faulty.set('none');
      expect(await isAccepted(service, plaintext)).toBe(true);
    });
  });
});

describe('a caller', () => {
  const target = shareService(async (_, { client }) => await create(client));

  describe.each([INTROSPECT, REVOKE] as const)('of %s', (line) => {
    test.each<[string, (token: string, other: string) => Record<string, string | string[]>, string, string]>([
      ['no credential', () => ({}), BOTH_WAYS, 'missing'],
      ['an unknown bearer', () => ({ Authorization: `Bearer ${UNKNOWN_TOKEN}` }), BAD_BEARER, 'unknown'],
      ['a bearer without a token', () => ({ Authorization: 'Bearer' }), BAD_BEARER, 'malformed'],
      ['an unknown password', () => ({ Authorization: basic(UNKNOWN_TOKEN) }), BAD_BASIC, 'unknown'],
      ['a password that is no token', () => ({ Authorization: basic('secret', 'client') }), BAD_BASIC, 'malformed'],
      ['the token as user name', (token) => ({ Authorization: basic('', token) }), BAD_BASIC, 'malformed'],
      ['no password at all', (token) => ({ Authorization: `Basic ${btoa(token)}` }), BAD_BASIC, 'malformed'],
      ['broken percent-encoding', (token) => ({ Authorization: basic(`%${token}`) }), BAD_BASIC, 'malformed'],
      ['an empty Basic', () => ({ Authorization: 'Basic' }), BAD_BASIC, 'malformed'],
      ['a Basic that is no base64', (token) => ({ Authorization: `Basic :${token}` }), BAD_BASIC, 'malformed'],
      ['a Basic in two words', (token) => ({ Authorization: `${basic(token)} x` }), BAD_BASIC, 'malformed'],
      ['another scheme', () => ({ Authorization: 'Digest username="a"' }), BAD_BEARER, 'malformed'],
      ['the cookie alone', (token) => ({ Cookie: `vai_token=${token}` }), BOTH_WAYS, 'scheme'],
      ['X-API-Key alone', (token) => ({ 'X-API-Key': token }), BOTH_WAYS, 'scheme'],
      [
        'the key and the cookie',
        (token) => ({ 'X-API-Key': token, Cookie: `vai_token=${token}` }),
        BOTH_WAYS,
        'scheme',
      ],
      [
        'two bearers',
        (token, other) => ({ Authorization: [`Bearer ${token}`, `Bearer ${other}`] }),
        BAD_BEARER,
        'several',
      ],
      [
        'Basic and another bearer',
        (token, other) => ({ Authorization: [basic(token), `Bearer ${other}`] }),
        BAD_BEARER,
        'several',
      ],
      [
        'both in one header',
        (token, other) => ({ Authorization: `${basic(token)}, Bearer ${other}` }),
        BAD_BEARER,
        'several',
      ],
      [
        'Basic and another key',
        (token, other) => ({ Authorization: basic(token), 'X-API-Key': other }),
        BAD_BEARER,
        'several',
      ],
      [
        'a bearer and another cookie',
        (token, other) => ({ Authorization: `Bearer ${token}`, Cookie: `vai_token=${other}` }),
        BAD_BEARER,
        'several',
      ],
    ])('with %s is 401', async (_, headersOf, challenge, reason) => {
      const { service, admin, made } = await target();
      const headers = headersOf(admin.token, made.plaintext);
      const answer = await expectRefusal(
        service,
        () => sendForm(service, line, `token=${made.plaintext}`, { headers }),
        {
          status: 401,
          body: { error: 'invalid_client', error_description: ANY_STRING },
          secrets: [made.plaintext, admin.token],
        },
      );
      expect(answer.headers['www-authenticate']).toBe(challenge);
      expect((await logged(service, answer)).reason).toBe(reason);
    });

    test.each<[string, (token: string) => Record<string, string | string[]>]>([
      ['Basic, the user name empty', (token) => ({ Authorization: basic(token) })],
      ['Basic, the user name with a colon encoded', (token) => ({ Authorization: basic(token, 'https%3A%2F%2Fa') })],
      [
        'Basic, the password encoded as a form value',
        (token) => ({ Authorization: basic(token.replaceAll('_', '%5F')) }),
      ],
      ['Basic, the scheme in another case', (token) => ({ Authorization: basic(token).replace('Basic', 'bASIC') })],
      ['Basic, without padding', (token) => ({ Authorization: basic(token, 'ab').replace(/=+$/, '') })],
      ['Basic and bearer that agree', (token) => ({ Authorization: [basic(token), `Bearer ${token}`] })],
      ['Basic and a cookie that agree', (token) => ({ Authorization: basic(token), Cookie: `vai_token=${token}` })],
    ])('with %s is let in', async (_, headersOf) => {
      const { service, admin } = await target();
      const answer = await sendForm(service, line, 'token=nonsense', { headers: headersOf(admin.token) });
      expect(answer.status).toBe(200);
    });

    test('with an expired, revoked or disabled token, or a refresh token, is 401', async () => {
      const { service, made } = await shared();
      for (const [name] of CLOSED) {
        const { plaintext } = made.tokens[name];
        for (const Authorization of [`Bearer ${plaintext}`, basic(plaintext)]) {
          const answer = await sendForm(service, line, 'token=nonsense', { headers: { Authorization } });
          expect(answer.status, name).toBe(401);
        }
      }
    });

    test.each<[string, Record<string, string>]>([
      ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
      ['another site in an older browser', { Origin: 'https://evil.example' }],
      ['this origin', { 'Sec-Fetch-Site': 'same-origin' }],
    ])('by the cookie, in a form of %s, does nothing', async (_, headers) => {
      const { service, admin, made } = await target();
      const sent = { ...headers, Cookie: `vai_token=${admin.token}` };
      await expectRefusal(service, () => sendForm(service, line, `token=${made.plaintext}`, { headers: sent }), {
        status: 401,
      });
      expect(await isAccepted(service, made.plaintext)).toBe(true);
    });
  });

  test.each([
    [
      'no credential',
      None(),
      [
        { scheme: 'bearer', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'Latchkey' } },
      ],
    ],
    ['a bad bearer', bearer(UNKNOWN_TOKEN), [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }]],
    ['a bad password', ClientSecretBasic('wrong'), [{ scheme: 'basic', parameters: { realm: 'Latchkey' } }]],
  ] as const)('with %s gets a challenge that a stock client understands', async (_, auth, challenges) => {
    const { service, made } = await target();
    for (const call of [introspect, revoke]) {
      const error = await call(service, auth, made.plaintext).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(WWWAuthenticateChallengeError);
      expect((error as WWWAuthenticateChallengeError).cause).toEqual(challenges);
    }
  });

  test('with its secret in the body has no credential', async () => {
    const { service, admin, made } = await target();
    await expect(introspect(service, ClientSecretPost(admin.token), made.plaintext)).rejects.toThrow(
      WWWAuthenticateChallengeError,
    );
  });
});

describe('Basic opens no other operation', () => {
  const { paths } = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, { operationId: string; security?: unknown[] }>>;
  };
  const others = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security?.length !== 0 && !path.startsWith('/oauth/'))
      .map(([method, { operationId }]) => ({ operationId, method: method.toUpperCase(), path })),
  );
  const target = shareService();

  test.each(others)('$operationId', async ({ method, path }) => {
    const { service, admin } = await target();
    const line =
      `${method} ${path.replace('{token_id}', '497f6eca-6276-4993-bfeb-53cbbbba6f08').replace(/\{\w+\}/, '1')}` as const;
    const answer = await expectRefusal(
      service,
      () => send(service, line, { headers: { Authorization: basic(admin.token) } }),
      { status: 401 },
    );
    expect(answer.headers['www-authenticate']).toBe(BAD_BEARER);
  });
});
