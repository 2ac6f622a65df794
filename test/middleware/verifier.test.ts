import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isToken } from '../../client/middleware/form.js';
import { createVerifier, type GuardOptions } from '../../client/middleware/index.js';
import type { VerifierOptions } from '../../client/middleware/options.js';
import { type Answering, JSON_TYPE, serveAnswers } from '../support/answers.js';
import { UNKNOWN_TOKEN, withChecksum } from '../support/plaintext.js';
import { rejectionOf } from '../support/rejection.js';

const GOOD = {
  valid: true,
  code: 'valid',
  token: { id: '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b', name: 'bot', tokenPrefix: 'lk_pat_00000', previousSecret: null },
  owner: { id: 1, email: 'ada@example.org' },
};
const answering = (body: unknown): Answering => ({ headers: JSON_TYPE, body: JSON.stringify(body) });
const OPTIONS: VerifierOptions = { baseUrl: 'http://localhost', token: 'the-verifiers' };

describe('the form of a token', () => {
  const random = fc.stringMatching(/^[0-9A-Za-z]{30}$/);

  test('is known of every brand', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/),
        fc.constantFrom('pat', 'ses'),
        random,
        (brand, kind, text) => isToken(withChecksum(`${brand}_${kind}_${text}`)),
      ),
    );
  });

  test('is lost by any other character', () => {
    fc.assert(
      fc.property(random, fc.nat(42), fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }), (text, at, other) => {
        const token = withChecksum(`lk_pat_${text}`);
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        expect(isToken(changed)).toBe(changed === token);
      }),
    );
  });

  test.each([
    '',
    'lk_pat_',
    `${UNKNOWN_TOKEN}\n`,
    ` ${UNKNOWN_TOKEN}`,
    withChecksum(`lk_ref_${'0'.repeat(30)}`),
    '_pat_',
  ])('is not that of %j, which no service is asked about', async (text) => {
    const { url, received } = await serveAnswers('drop');
    const verdict = await createVerifier({ ...OPTIONS, baseUrl: url }).verify(text);
    expect(verdict).toEqual({ valid: false, code: 'malformed', token: null, owner: null });
    expect(received).toEqual([]);
  });
});

describe('an answer', () => {
  test('of the contract is a verdict', async () => {
    const { url, received } = await serveAnswers(answering(GOOD));
    const verdict = await createVerifier({ ...OPTIONS, baseUrl: `${url}/below` }).verify(UNKNOWN_TOKEN, {
      scopes: ['b', 'a'],
    });
    expect(verdict).toEqual(GOOD);
    expect(received).toMatchObject([
      {
        method: 'POST',
        path: '/below/api/v1/access-tokens/verify',
        headers: { authorization: 'Bearer the-verifiers' },
      },
    ]);
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({ token: UNKNOWN_TOKEN, scopes: ['a', 'b'] });
  });

  test('with a code of a later service refuses', async () => {
    const { url } = await serveAnswers(answering({ valid: false, code: 'paused', token: null, owner: null }));
    expect(await createVerifier({ ...OPTIONS, baseUrl: url }).verify(UNKNOWN_TOKEN)).toMatchObject({ code: 'paused' });
  });

  test('with members of a later service is a verdict all the same', async () => {
    const later = { ...GOOD, region: 'eu', token: { ...GOOD.token, colour: 'red' } };
    const { url } = await serveAnswers(answering(later));
    const verdict = await createVerifier({ ...OPTIONS, baseUrl: url }).verify(UNKNOWN_TOKEN);
    expect(verdict).toMatchObject({ valid: true, token: { colour: 'red' } });
  });

  test('with a code of a later service refuses a request with 401', async () => {
    const { url } = await serveAnswers(answering({ valid: false, code: 'paused', token: null, owner: null }));
    const refusals: unknown[] = [];
    const verifier = createVerifier({ ...OPTIONS, baseUrl: url, onRefusal: (refusal) => refusals.push(refusal) });
    const decision = await verifier.guard()({
      method: 'GET',
      header: (name) => (name === 'x-api-key' ? UNKNOWN_TOKEN : undefined),
      origin: () => undefined,
      source: null,
    });
    expect(decision).toMatchObject({ passed: false, answer: { status: 401 } });
    expect(refusals).toMatchObject([{ reason: 'paused' }]);
  });

  test.each<[string, Answering]>([
    ['that is valid for another reason', answering({ ...GOOD, code: 'revoked' })],
    ['that is not valid and yet is', answering({ ...GOOD, valid: false })],
    ['without a token', answering({ ...GOOD, token: null })],
    ['without an owner', answering({ ...GOOD, owner: undefined })],
    ['that is no verdict', answering({})],
    ['that is a list', answering([GOOD])],
    ['that is no JSON', { headers: JSON_TYPE, body: '{"valid": true' }],
    ["that is a proxy's page", { headers: { 'Content-Type': 'text/html' }, body: '<p>Welcome</p>' }],
    ['that is empty', { status: 204 }],
    ['that leads elsewhere', { status: 307, headers: { Location: 'http://localhost:1/' } }],
    ['that is cut', 'cut'],
    ['that asks for money', { status: 402, headers: JSON_TYPE, body: JSON.stringify(GOOD) }],
    ['that refuses the question', { status: 422, headers: JSON_TYPE, body: '{"detail":"No.","code":"bad_request"}' }],
  ])('%s is none', async (_, answer) => {
    const { url } = await serveAnswers(answer);
    const error = await rejectionOf(createVerifier({ ...OPTIONS, baseUrl: url }).verify(UNKNOWN_TOKEN));
    expect(error).toMatchObject({ code: 'service_unavailable', status: 503 });
    expect(inspect(error, { depth: 9 })).not.toContain(UNKNOWN_TOKEN);
  });

  test.each([
    ['too few', { results: [GOOD] }],
    ['too many', { results: [GOOD, GOOD, GOOD] }],
    ['none', {}],
    ['one that is no verdict', { results: [GOOD, null] }],
  ])('with %s verdicts lets nobody of the batch pass', async (_, body) => {
    const { url } = await serveAnswers(answering(body));
    const verifier = createVerifier({ ...OPTIONS, baseUrl: url });
    const questions = [UNKNOWN_TOKEN, withChecksum(`lk_ses_${'1'.repeat(30)}`)].map((token) => verifier.verify(token));
    for (const question of questions) expect(await rejectionOf(question)).toMatchObject({ status: 503 });
  });

  test.each([401, 403])('of %i to the verifier is never one to the client', async (status) => {
    const { url } = await serveAnswers({ status, headers: JSON_TYPE, body: '{"detail":"No.","code":"unauthorized"}' });
    const errors: unknown[] = [];
    const verifier = createVerifier({ ...OPTIONS, baseUrl: url, onError: (error) => errors.push(error) });
    const decision = await verifier.guard()({
      method: 'GET',
      header: (name) => (name === 'x-api-key' ? UNKNOWN_TOKEN : undefined),
      origin: () => undefined,
      source: null,
    });
    expect(decision).toMatchObject({ passed: false, answer: { status: 503 } });
    expect(errors).toMatchObject([{ status: 503, cause: { status } }]);
  });
});

test('what the function for the token throws is an error of the service', async () => {
  const failure = new Error('the vault is sealed');
  const verifier = createVerifier({ ...OPTIONS, token: () => Promise.reject(failure) });
  expect(await rejectionOf(verifier.verify(UNKNOWN_TOKEN))).toMatchObject({ status: 503, cause: failure });
});

test('a function for the token that never answers holds nobody beyond the time-out', async () => {
  const verifier = createVerifier({ ...OPTIONS, timeoutMs: 50, token: () => new Promise(() => undefined) });
  expect(await rejectionOf(verifier.verify(UNKNOWN_TOKEN))).toMatchObject({ status: 503, cause: { code: 'timeout' } });
});

test('a verifier without a token is refused when it is made', () => {
  const rest = { baseUrl: OPTIONS.baseUrl } as VerifierOptions;
  expect(() => createVerifier(rest)).toThrow(TypeError);
  expect(() => createVerifier(rest)).toThrow('token must be a token, or a function');
});

test('a verifier takes LATCHKEY_URL and LATCHKEY_TOKEN from the environment', async () => {
  const { url, received } = await serveAnswers(answering(GOOD));
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('LATCHKEY_URL', url);
  vi.stubEnv('LATCHKEY_TOKEN', 'the-environments');
  await createVerifier.fromEnvironment({ timeoutMs: 5_000 }).verify(UNKNOWN_TOKEN);
  expect(received[0]?.headers.authorization).toBe('Bearer the-environments');
  vi.stubEnv('LATCHKEY_TOKEN', undefined);
  expect(() => createVerifier.fromEnvironment()).toThrow('LATCHKEY_TOKEN is not set');
  vi.stubEnv('LATCHKEY_URL', undefined);
  expect(() => createVerifier.fromEnvironment()).toThrow('LATCHKEY_URL is not set');
});

describe('options that cannot be meant are refused', () => {
  test.each<[string, object]>([
    ['cacheSecond', { cacheSecond: 1 }],
    ['baseUrl', { baseUrl: 'http://tokens.example.org' }],
    ['baseUrl', { baseUrl: 'tokens' }],
    ['token', { token: 'two words' }],
    ['token', { token: undefined }],
    ['token', { token: '' }],
    ['token', { token: null }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: 60_001 }],
    ['cacheSeconds', { cacheSeconds: 0.5 }],
    ['cacheSeconds', { cacheSeconds: -1 }],
    ['cacheEntries', { cacheEntries: 0 }],
    ['maxConcurrency', { maxConcurrency: Number.NaN }],
    ['authMethods', { authMethods: [] }],
    ['authMethods', { authMethods: ['query'] }],
    ['cookieName', { cookieName: 'a b' }],
    ['trustedOrigins', { trustedOrigins: ['https://app.example/'] }],
    ['trustedOrigins', { trustedOrigins: ['*'] }],
    ['realm', { realm: 'a\r\nb' }],
  ])('%s of a verifier', (name, options) => {
    expect(() => createVerifier({ ...OPTIONS, ...options })).toThrow(TypeError);
    expect(() => createVerifier({ ...OPTIONS, ...options })).toThrow(name);
  });

  test.each<[string, object]>([
    ['scope', { scope: ['a'] }],
    ['scopes', { scopes: 'a' }],
    ['scopes', { scopes: ['a b'] }],
    ['scopes', { scopes: [''] }],
    ['scopes', { scopes: ['a"b'] }],
    ['scopes', { scopes: Array.from({ length: 65 }, (_, index) => String(index)) }],
  ])('%s of a route', async (name, options) => {
    const verifier = createVerifier(OPTIONS);
    expect(() => verifier.guard(options as GuardOptions)).toThrow(TypeError);
    expect(() => verifier.guard(options as GuardOptions)).toThrow(name);
    if (name === 'scopes') await expect(verifier.verify(UNKNOWN_TOKEN, options)).rejects.toThrow(TypeError);
  });
});
