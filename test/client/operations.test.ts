import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type AccessToken,
  type AccessTokenPage,
  type Answer,
  createLatchkey,
  type DataOf,
  type InputOf,
  type Introspection,
  type IssuedAccessToken,
  type Latchkey,
  type PrivateTokenPage,
  type Rotation,
  type Session,
  type TokenForm,
  type Verification,
  type Verifications,
} from '../../client/index.js';
import { JSON_TYPE, serveAnswers } from '../support/answers.js';
import { rejectionOf } from '../support/rejection.js';
import { startService } from '../support/service.js';

interface Contract {
  paths: Record<string, Record<string, { operationId?: string; responses: Record<string, { content?: object }> }>>;
}

const contract = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as Contract;
const operations = Object.values(contract.paths).flatMap((methods) =>
  Object.values(methods).filter(({ operationId }) => operationId !== undefined),
);

async function startWithClient() {
  const service = await startService();
  const { token } = await service.admin();
  return { service, lk: createLatchkey({ baseUrl: service.url, token }) };
}

test('every operation of the contract is a function under its operationId', () => {
  const lk: object = createLatchkey({ baseUrl: 'http://localhost' });
  const functions = Object.entries(lk).filter(([, member]) => typeof member === 'function');
  // A stream of events has a name of its own, because it is no call with one answer.
  const names = operations.map(({ operationId = '' }) => (operationId === 'followEvents' ? 'events' : operationId));
  expect(functions.map(([name]) => name).sort()).toEqual([...names, 'as'].sort());
});

test('access tokens are created, listed, shown and revoked', async () => {
  const { lk } = await startWithClient();
  const { plaintext, token } = await lk.createAccessToken({ body: { name: 'deploy bot', expiresInDays: 90 } });
  expect(plaintext).toMatch(/^lk_pat_/);
  expect(await lk.listAccessTokens({ query: { tokenType: 'pat', limit: 1 } })).toEqual({
    items: [token],
    nextCursor: null,
  });
  await expect(lk.revokeAccessToken({ path: { token_id: token.id } })).resolves.toBeUndefined();
  expect(await lk.getAccessToken({ path: { token_id: token.id } })).toMatchObject({
    id: token.id,
    revokedAt: expect.any(String) as string,
  });
  expect(await lk.revokeAllAccessTokens()).toEqual({ revokedCount: 0 });
});

test('private tokens are created, listed and revoked', async () => {
  const { lk } = await startWithClient();
  const expiration_time = '2031-01-01T00:00:00.000Z';
  const { id, data } = await lk.createPrivateToken({ body: { name: 'nightly & more', expiration_time } });
  expect(data).toMatch(/^lk_pat_/);
  expect(await lk.listPrivateTokens({ query: { q: 'Y & M', ordering: '-name' } })).toEqual({
    count: 1,
    next: null,
    previous: null,
    results: [{ id, name: 'nightly & more', expiration_time }],
  });
  await expect(lk.revokePrivateToken({ path: { id } })).resolves.toBeUndefined();
  expect(await lk.listPrivateTokens()).toMatchObject({ count: 0 });
});

test('tokens are verified, one or many, and the token in use is shown, rotated and revoked', async () => {
  const { service, lk } = await startWithClient();
  const { plaintext, token } = await lk.createAccessToken({ body: { name: 'a' } });
  expect(await lk.verifyAccessToken({ body: { token: plaintext } })).toMatchObject({
    valid: true,
    code: 'valid',
    token: { id: token.id },
  });
  const tokens = [{ token: plaintext }, { token: 'none' }, { token: plaintext, scopes: ['deploy'] }];
  const { results } = await lk.verifyAccessTokens({ body: { tokens } });
  expect(results.map(({ code }) => code)).toEqual(['valid', 'malformed', 'insufficient_scope']);

  const holder = createLatchkey({ baseUrl: service.url, token: plaintext });
  expect(await holder.getCurrentAccessToken()).toMatchObject({ id: token.id });
  const rotated = await holder.rotateCurrentAccessToken({ body: { gracePeriodSeconds: 60 } });
  expect(rotated.token).toMatchObject({ id: token.id, previousSecret: { tokenPrefix: token.tokenPrefix } });
  await expect(holder.revokeCurrentAccessToken()).resolves.toBeUndefined();
  expect(await lk.verifyAccessToken({ body: { token: rotated.plaintext } })).toMatchObject({ code: 'revoked' });
});

test('tokens are introspected and revoked in the words of OAuth', async () => {
  const { lk } = await startWithClient();
  const { plaintext, token } = await lk.createAccessToken({ body: { name: 'a' } });
  const introspection = await lk.introspectToken({ body: { token: plaintext, token_type_hint: 'access_token' } });
  expect(introspection).toMatchObject({ active: true, jti: token.id });
  await expect(lk.revokeOAuthToken({ body: { token: plaintext } })).resolves.toBeUndefined();
  expect(await lk.introspectToken({ body: { token: plaintext } })).toEqual({ active: false });
});

test('an answer to a token tells until when it serves', async () => {
  const { service, lk } = await startWithClient();
  const { plaintext } = await lk.createAccessToken({ body: { name: 'a', expiresInDays: 1 } });
  const { headers } = await createLatchkey({ baseUrl: service.url, token: plaintext }).getMe().withResponse();
  expect(headers.get('Latchkey-Token-Expires-At')).toBe('2030-06-16T12:00:00.000Z');
});

test.each([
  ['what is reserved', { token: 'a&token=b=c', token_type_hint: 'x + y%20;' }],
  ['what is not ASCII', { token: 'ä€😀\r\n', 'näme [0]': '"\u0000' }],
  ['nothing', { token: '' }],
])('a form holds %s unharmed', async (_, body) => {
  const { url, received } = await serveAnswers({ headers: JSON_TYPE, body: '{"active":false}' });
  const lk = createLatchkey({ baseUrl: url });
  await lk.introspectToken({ body: { ...body, left_out: undefined } });
  const [request] = received;
  expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  expect(request?.body).toMatch(/^[!-~]*$/);
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual(body);
});

test('the service takes forms as the client writes them', async () => {
  const { lk } = await startWithClient();
  const body = { token: 'ä & é = 100 % + 😀', unknown: 'a&b', left_out: undefined };
  expect(await lk.introspectToken({ body })).toEqual({ active: false });
});

describe('an edit with ifMatch', () => {
  async function startWithToken() {
    const { lk } = await startWithClient();
    const { data, etag } = await lk.createAccessToken({ body: { name: 'first' } }).withResponse();
    return { lk, path: { token_id: data.token.id }, etag };
  }

  test('happens where the token is as it was seen, and gives the tag to go on with', async () => {
    const { lk, path, etag } = await startWithToken();
    expect((await lk.getAccessToken({ path }).withResponse()).etag).toBe(etag);
    const edited = await lk.updateAccessToken({ path, body: { name: 'second' }, ifMatch: etag }).withResponse();
    expect(edited.data.name).toBe('second');
    expect(edited.etag).not.toBe(etag);
    const rotated = await lk.rotateAccessToken({ path, ifMatch: edited.etag }).withResponse();
    expect(rotated.etag).not.toBe(edited.etag);
  });

  test('does not happen where it has changed', async () => {
    const { lk, path, etag } = await startWithToken();
    await lk.updateAccessToken({ path, body: { name: 'of another' } });
    for (const call of [
      () => lk.updateAccessToken({ path, body: { name: 'lost' }, ifMatch: etag }),
      () => lk.rotateAccessToken({ path, ifMatch: etag }),
    ]) {
      expect(await rejectionOf(call())).toMatchObject({ code: 'precondition_failed', status: 412 });
    }
    expect(await lk.getAccessToken({ path })).toMatchObject({ name: 'of another', previousSecret: null });
  });

  test.each([undefined, ''])('is refused where there is no tag (%j), before anything is sent', async (ifMatch) => {
    const { url, received } = await serveAnswers({ headers: JSON_TYPE, body: '{}' });
    const { etag } = await createLatchkey({ baseUrl: url }).getMe().withResponse();
    expect(etag).toBeUndefined();
    const call = createLatchkey({ baseUrl: url }).updateAccessToken({ path: { token_id: 'a' }, body: {}, ifMatch });
    expect(await rejectionOf(call)).toMatchObject({
      code: 'invalid_input',
      status: undefined,
      problems: [{ field: 'ifMatch' }],
    });
    expect(received).toHaveLength(1);
  });
});

test('the caller, the health and the contract are shown', async () => {
  const { lk } = await startWithClient();
  expect(await lk.getMe()).toMatchObject({ session: { authMethod: 'bearer', tokenType: 'session' } });
  expect(await lk.getHealth()).toEqual({ status: 'ok' });
  expect(await lk.getReadiness()).toMatchObject({ status: 'ready' });
  expect(await lk.getOpenApiJson()).toMatchObject({ openapi: '3.1.0' });
  expect(await lk.getOpenApiYaml()).toContain('operationId: getOpenApiYaml');
});

test('withResponse gives status, headers and request id of the one request that was sent', async () => {
  const { service, lk } = await startWithClient();
  const call = lk.createAccessToken({ body: { name: 'a' }, headers: { 'X-Request-Id': 'from-the-test' } });
  const { data, status, headers, requestId } = await call.withResponse();
  expect({ status, requestId }).toEqual({ status: 201, requestId: 'from-the-test' });
  expect(headers.get('Location')).toBe(`/api/v1/access-tokens/${data.token.id}`);
  expect(await call).toBe(data);
  expect(await lk.listAccessTokens({ query: { tokenType: 'pat' } })).toMatchObject({ items: [{ id: data.token.id }] });
  expect(service.log.filter((line) => line.includes('from-the-test'))).toHaveLength(1);
});

test('a base URL may have a path and end in a slash', async () => {
  const { service } = await startWithClient();
  const urls: string[] = [];
  const lk = createLatchkey({
    baseUrl: `${service.url}/below/`,
    fetch: (url, init) => {
      urls.push(url);
      return fetch(url.replace('/below', ''), init);
    },
  });
  expect(await lk.getHealth()).toEqual({ status: 'ok' });
  expect(urls).toEqual([`${service.url}/below/healthz`]);
});

test('options and answers have the types of the contract', () => {
  expectTypeOf<Awaited<ReturnType<Latchkey['listAccessTokens']>>>().toEqualTypeOf<AccessTokenPage>();
  expectTypeOf<Awaited<ReturnType<Latchkey['listPrivateTokens']>>>().toEqualTypeOf<PrivateTokenPage>();
  expectTypeOf<Awaited<ReturnType<Latchkey['getAccessToken']>>>().toEqualTypeOf<AccessToken>();
  expectTypeOf<Awaited<ReturnType<Latchkey['revokeAccessToken']>>>().toBeVoid();
  expectTypeOf<Awaited<ReturnType<Latchkey['getOpenApiYaml']>>>().toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Latchkey['revokeCurrentAccessToken']>>>().toBeVoid();
  expectTypeOf<Awaited<ReturnType<Latchkey['revokeOAuthToken']>>>().toBeVoid();
  expectTypeOf<DataOf<'verifyAccessToken'>>().toEqualTypeOf<Verification>();
  expectTypeOf<DataOf<'verifyAccessTokens'>>().toEqualTypeOf<Verifications>();
  expectTypeOf<DataOf<'introspectToken'>>().toEqualTypeOf<Introspection>();
  expectTypeOf<DataOf<'getCurrentAccessToken'>>().toEqualTypeOf<AccessToken>();
  expectTypeOf<DataOf<'updateAccessToken'>>().toEqualTypeOf<AccessToken>();
  expectTypeOf<DataOf<'rotateCurrentAccessToken'>>().toEqualTypeOf<IssuedAccessToken>();
  expectTypeOf<InputOf<'introspectToken'>['body']>().toEqualTypeOf<TokenForm>();
  expectTypeOf<InputOf<'rotateAccessToken'>['body']>().toEqualTypeOf<Rotation | undefined>();
  expectTypeOf<InputOf<'rotateAccessToken'>['ifMatch']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Extract<keyof InputOf<'updateAccessToken'>, 'ifMatch' | 'idempotencyKey'>>().toEqualTypeOf<'ifMatch'>();
  expectTypeOf<
    Extract<keyof InputOf<'createPrivateToken'>, 'ifMatch' | 'idempotencyKey'>
  >().toEqualTypeOf<'idempotencyKey'>();
  expectTypeOf<Extract<keyof InputOf<'getAccessToken'>, 'ifMatch' | 'idempotencyKey'>>().toBeNever();
  expectTypeOf<Latchkey['rotateCurrentAccessToken']>().toBeCallableWith();
  expectTypeOf<Awaited<ReturnType<Latchkey['logIn']>>>().toEqualTypeOf<Session>();
  expectTypeOf<Awaited<ReturnType<ReturnType<Latchkey['createAccessToken']>['withResponse']>>>().toEqualTypeOf<
    Answer<IssuedAccessToken>
  >();
  expectTypeOf<Latchkey['listAccessTokens']>().toBeCallableWith();
  expectTypeOf<Latchkey['listAccessTokens']>().toBeCallableWith({ query: { tokenType: 'pat' }, timeoutMs: 5 });

  const misuses = (lk: Latchkey) => [
    // @ts-expect-error -- the path is required
    () => lk.getAccessToken(),
    // @ts-expect-error -- so is the name
    () => lk.createAccessToken({ body: { expiresInDays: 1 } }),
    // @ts-expect-error -- a misspelt member would make an immortal token
    () => lk.createAccessToken({ body: { name: 'a', expireInDays: 1 } }),
    // @ts-expect-error -- no such type
    () => lk.accessTokens.all({ tokenType: 'refresh' }),
    // @ts-expect-error -- the order is what makes the list complete
    () => lk.privateTokens.all({ ordering: 'name' }),
    // @ts-expect-error -- revoking all has no condition, and would happen without one
    () => lk.revokeAllAccessTokens({ ifMatch: '"a"' }),
    // @ts-expect-error -- an edit is not done once and only once
    () => lk.updateAccessToken({ path: { token_id: 'a' }, body: {}, idempotencyKey: 'a' }),
    // @ts-expect-error -- a token is needed to verify one
    () => lk.verifyAccessToken({ body: {} }),
    // @ts-expect-error -- a token needs a place to go to
    () => createLatchkey({ token: 'a' }),
  ];
  expectTypeOf(misuses).toBeFunction();
});
