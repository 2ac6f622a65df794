import { expect, expectTypeOf, test } from 'vitest';
import {
  type ActingLatchkey,
  createLatchkey,
  type IssuedAccessToken,
  LatchkeyError,
  type LatchkeyErrorCode,
} from '../../client/index.js';
import { createAccessToken } from '../../generated/index.js';
import { rejectionOf } from '../support/rejection.js';
import { answered, startService } from '../support/service.js';

// `lk.as(...)`: the operations on the tokens of another owner.

async function startShop() {
  const service = await startService();
  const { client } = await service.admin();
  const scopes = ['tokens:act-as', 'tokens:read', 'tokens:write', 'orders:read'];
  const { plaintext } = await answered(createAccessToken({ client, body: { name: 'shop', scopes } }));
  const lk = createLatchkey({ baseUrl: service.url, token: plaintext });
  const { id } = await lk.putExternalUser({ path: { external_id: 'cus_42' }, body: { fullName: 'Ada Ltd' } });
  return { service, lk, id };
}

test('every operation on tokens works on those of the owner', async () => {
  const { lk, id } = await startShop();
  for (const owner of [{ externalOwner: 'cus_42' }, { owner: id }] as const) {
    const ada = lk.as(owner);
    const { token } = await ada.createAccessToken({ body: { name: 'key', scopes: ['orders:read'] } });
    const path = { token_id: token.id };
    expect(await ada.getAccessToken({ path })).toEqual(token);
    expect((await ada.updateAccessToken({ path, body: { name: 'renamed' } })).name).toBe('renamed');
    expect((await ada.rotateAccessToken({ path, body: { gracePeriodSeconds: 60 } })).token.id).toBe(token.id);
    const page = await ada.listAccessTokens({ query: { q: 'renamed' } });
    expect(page.items.map((one) => one.id)).toEqual([token.id]);
    expect((await ada.listAccessTokenEvents({ path })).items.at(-1)?.ownerId).toBe(id);
    await ada.createAccessToken({ body: { name: 'other', scopes: [] } });
    const names = [];
    for await (const one of ada.accessTokens.all({ sort: 'name', limit: 1 })) names.push(one.name);
    expect(names).toEqual(['other', 'renamed']);
    expect(await ada.revokeAccessTokens({ body: { filter: { q: 'other' } } })).toMatchObject({ revokedCount: 1 });
    await ada.revokeAccessToken({ path });
    await ada.createAccessToken({ body: { name: 'last', scopes: [] } });
    expect(await ada.revokeAllAccessTokens()).toEqual({ revokedCount: 1 });
  }
  expect((await lk.listAccessTokens({ query: { tokenType: 'pat' } })).items.map(({ name }) => name)).toEqual(['shop']);
});

test('what is passed besides stays as it is, and no call can name another owner', async () => {
  const { lk } = await startShop();
  const ada = lk.as({ externalOwner: 'cus_42' });
  const once = { body: { name: 'key', scopes: [] }, idempotencyKey: 'order-1', headers: { 'X-Request-Id': 'mine' } };
  const { data, requestId, etag } = await ada.createAccessToken(once).withResponse();
  expect(requestId).toBe('mine');
  expect((await ada.createAccessToken(once)).plaintext).toBe(data.plaintext);
  expect((await lk.createAccessToken(once)).token.id).not.toBe(data.token.id);
  const path = { token_id: data.token.id };
  await ada.updateAccessToken({ path, ifMatch: etag, body: { name: 'b' } });
  expect(await rejectionOf(ada.revokeAccessToken({ path, ifMatch: etag }))).toMatchObject({
    code: 'precondition_failed',
  });
  expect(await rejectionOf(lk.getAccessToken({ path }))).toMatchObject({ code: 'not_found' });
  const other = { path, query: { externalOwner: 'cus_43', owner: 1 } } as { path: typeof path };
  expect(await rejectionOf(ada.getAccessToken(other))).toMatchObject({ code: 'invalid_input' });
});

test('errors narrow by their codes', async () => {
  const { lk } = await startShop();
  const error = await rejectionOf(lk.as({ externalOwner: 'nobody' }).listAccessTokens());
  if (!(error instanceof LatchkeyError) || error.code !== 'owner_not_found') throw error;
  expectTypeOf(error.status).toEqualTypeOf<number>();
  expect(error).toMatchObject({ status: 404, message: 'No such owner.' });
  await lk.putExternalUser({ path: { external_id: 'cus_42' }, body: { disabled: true } });
  const disabled = lk.as({ externalOwner: 'cus_42' }).createAccessToken({ body: { name: 'a' } });
  expect(await rejectionOf(disabled)).toMatchObject({ code: 'owner_disabled', status: 409 });
  expectTypeOf<'owner_disabled' | 'owner_not_found'>().toExtend<LatchkeyErrorCode>();
});

test('an owner that is missing is no owner, and never the caller', () => {
  const lk = createLatchkey({ baseUrl: 'http://localhost' });
  for (const owner of [{}, { externalOwner: undefined }, { externalOwner: '' }, { owner: 0 }, { owner: NaN }]) {
    expect(() => lk.as(owner as { externalOwner: string })).toThrow(TypeError);
  }
});

test('its types have no owner, and no operation that is not about tokens', () => {
  expectTypeOf<ActingLatchkey['createAccessToken']>().returns.resolves.toEqualTypeOf<IssuedAccessToken>();
  expectTypeOf<ActingLatchkey>().not.toHaveProperty('getMe');
  expectTypeOf<
    NonNullable<NonNullable<Parameters<ActingLatchkey['listAccessTokens']>[0]>['query']>
  >().not.toHaveProperty('externalOwner');
});
