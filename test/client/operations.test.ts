import { readFileSync } from 'node:fs';
import { expect, expectTypeOf, test } from 'vitest';
import {
  type AccessToken,
  type AccessTokenPage,
  type Answer,
  createLatchkey,
  type IssuedAccessToken,
  type Latchkey,
  type PrivateTokenPage,
  type Session,
} from '../../client/index.js';
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
  expect(functions.map(([name]) => name).sort()).toEqual(operations.map(({ operationId }) => operationId).sort());
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

test('the caller, the health and the contract are shown', async () => {
  const { lk } = await startWithClient();
  expect(await lk.getMe()).toMatchObject({ session: { authMethod: 'bearer', tokenType: 'session' } });
  expect(await lk.getHealth()).toEqual({ status: 'ok' });
  expect(await lk.getReadiness()).toEqual({ status: 'ready' });
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
    // @ts-expect-error -- a token needs a place to go to
    () => createLatchkey({ token: 'a' }),
  ];
  expectTypeOf(misuses).toBeFunction();
});
