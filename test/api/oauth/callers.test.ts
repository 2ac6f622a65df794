import { readFileSync } from 'node:fs';
import { ClientSecretBasic, ClientSecretPost, None, WWWAuthenticateChallengeError } from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import {
  BAD_BASIC,
  BAD_BEARER,
  BOTH_WAYS,
  basic,
  bearer,
  create,
  INTROSPECT,
  introspect,
  isAccepted,
  REVOKE,
  revoke,
  sendForm,
} from '../../support/oauth.js';
import { UNKNOWN_TOKEN } from '../../support/plaintext.js';
import { NOT_VALID, presentTokens } from '../../support/presented.js';
import { expectRefusal, logged } from '../../support/refusal.js';
import { shareService } from '../../support/shared.js';

const shared = shareService(presentTokens);

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
      for (const [name] of NOT_VALID) {
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
      `${method} ${path.replace(/\{(token|webhook|delivery)_id\}/g, '497f6eca-6276-4993-bfeb-53cbbbba6f08').replace(/\{\w+\}/, '1')}` as const;
    const answer = await expectRefusal(
      service,
      () => send(service, line, { headers: { Authorization: basic(admin.token) } }),
      { status: 401 },
    );
    expect(answer.headers['www-authenticate']).toBe(BAD_BEARER);
  });
});
