import { describe, expect, test } from 'vitest';
import {
  type BulkRevocation,
  createAccessToken,
  deleteExternalUser,
  getMe,
  listAccessTokens,
  putExternalUser,
  revokeAccessToken,
  revokeAccessTokens,
  revokeAllAccessTokens,
} from '../../../generated/index.js';
import { fill } from '../../support/fill.js';
import { send } from '../../support/http.js';
import { ANY_STRING } from '../../support/matchers.js';
import { expectRefusal } from '../../support/refusal.js';
import { answered, type Client, DAY, type Service, startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';
import { change, rowsOf } from '../../support/store.js';

const NOBODYS = '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';

async function create(client: Client, name: string, scopes?: string[]) {
  return await answered(createAccessToken({ client, body: { name, ...(scopes && { scopes }) } }));
}

async function revoke(client: Client, body: BulkRevocation, owner?: number) {
  return await answered(revokeAccessTokens({ client, body, ...(owner !== undefined && { query: { owner } }) }));
}

async function isAccepted(service: Service, plaintext: string): Promise<boolean> {
  return (await getMe({ client: service.as(plaintext) })).response.status === 200;
}

async function living(client: Client): Promise<string[]> {
  const { items } = await answered(listAccessTokens({ client, query: { tokenType: 'pat', sort: 'name' } }));
  return items.map(({ name }) => name);
}

describe('by ids', () => {
  test('revokes these and no others, and counts what is not there', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const stranger = await service.newUser();
    const [a, b, c] = [await create(client, 'a'), await create(client, 'b'), await create(client, 'c')];
    const theirs = await create(stranger.client, 'theirs');
    await revokeAccessToken({ client, path: { token_id: b.token.id } });
    const ids = [a.token.id.toUpperCase(), b.token.id, theirs.token.id, NOBODYS];
    const revoked = await revoke(client, { ids });
    expect(revoked).toMatchObject({ revokedCount: 1, notFoundCount: 2, dryRun: false });
    expect(revoked.tokens).toEqual([{ ...a.token, revokedAt: '2030-06-15T12:00:00.000Z' }]);
    expect(await isAccepted(service, a.plaintext)).toBe(false);
    expect(await isAccepted(service, c.plaintext)).toBe(true);
    expect(await isAccepted(service, theirs.plaintext)).toBe(true);
    expect(await revoke(client, { ids })).toMatchObject({ revokedCount: 0, notFoundCount: 2, tokens: [] });
  });

  test('takes a thousand', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { token } = await create(client, 'a');
    const others = Array.from(
      { length: 999 },
      (_, index) => NOBODYS.slice(0, -3) + index.toString(16).padStart(3, '0'),
    );
    expect(await revoke(client, { ids: [token.id, ...others] })).toMatchObject({ revokedCount: 1, notFoundCount: 999 });
  });
});

describe('by a filter', () => {
  test('revokes what the list with that filter shows', async () => {
    const service = await startService();
    const { client } = await service.admin();
    await create(client, 'old a');
    await create(client, 'old b', ['invoices:send']);
    service.clock.advance(DAY);
    const again = await service.admin();
    await create(again.client, 'new');
    const filter = { createdBefore: '2030-06-16T00:00:00Z', tokenType: 'pat', scope: 'invoices:send' } as const;
    const { items } = await answered(listAccessTokens({ client: again.client, query: filter }));
    const revoked = await revoke(again.client, { filter });
    expect(revoked.tokens.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    expect(await living(again.client)).toEqual(['new', 'old a']);
  });

  test('changes nothing in a dry run, and says what it would', async () => {
    const service = await startService();
    const { client } = await service.admin();
    for (const name of ['a', 'b']) await create(client, name);
    const filter = { tokenType: 'pat' } as const;
    const tried = await revoke(client, { filter, dryRun: true });
    expect(tried).toMatchObject({ revokedCount: 2, notFoundCount: 0, dryRun: true });
    expect(tried.tokens.map(({ revokedAt }) => revokedAt)).toEqual([null, null]);
    expect(await living(client)).toEqual(['a', 'b']);
    expect((await revoke(client, { filter })).revokedCount).toBe(2);
    expect(await living(client)).toEqual([]);
  });

  test('shows the newest 200 and counts all', async () => {
    const service = await startService();
    const { client } = await service.admin();
    await Promise.all(Array.from({ length: 250 }, (_, index) => create(client, String(index))));
    const revoked = await revoke(client, { filter: { state: 'active', tokenType: 'pat' } });
    expect(revoked.revokedCount).toBe(250);
    expect(revoked.tokens).toHaveLength(200);
    expect(await living(client)).toEqual([]);
  });

  test('spares the token in use unless it is told not to', async () => {
    const service = await startService();
    const { client } = await service.admin();
    const { plaintext } = await create(client, 'cleaner');
    await create(client, 'other');
    const own = service.as(plaintext);
    expect(await revoke(own, { filter: { tokenType: 'pat' } })).toMatchObject({ revokedCount: 1 });
    expect(await living(own)).toEqual(['cleaner']);
    const all = await revoke(own, { filter: { tokenType: 'pat' }, excludeCurrent: false });
    expect(all).toMatchObject({ revokedCount: 1, tokens: [{ name: 'cleaner' }] });
    expect(await isAccepted(service, plaintext)).toBe(false);
  });

  test("reaches another owner's tokens for administrators alone", async () => {
    const service = await startService();
    const admin = await service.admin();
    const ada = await service.newUser();
    const eve = await service.newUser();
    await create(ada.client, 'of ada');
    await create(admin.client, 'of the administrator');
    const body = { filter: { tokenType: 'pat' } } as const;
    const owner = ada.session.id;
    await expectRefusal(service, () => revokeAccessTokens({ client: eve.client, body, query: { owner } }), {
      status: 403,
    });
    expect(await revoke(admin.client, body, owner)).toMatchObject({ revokedCount: 1, tokens: [{ name: 'of ada' }] });
    expect(await living(admin.client)).toEqual(['of the administrator']);
  });

  test('of two at the same time each token is counted once', async () => {
    const service = await startService();
    const { client } = await service.admin();
    await Promise.all(Array.from({ length: 40 }, (_, index) => create(client, String(index))));
    const both = await Promise.all(Array.from({ length: 4 }, () => revoke(client, { filter: { tokenType: 'pat' } })));
    expect(both.reduce((sum, { revokedCount }) => sum + revokedCount, 0)).toBe(40);
  });
});

describe('what is refused', () => {
  const shared = shareService((_, { client }) => create(client, 'a'));
  test.each<[string, unknown, string[], string]>([
    ['nothing', {}, [], 'value_error'],
    ['neither', { dryRun: true }, [], 'value_error'],
    ['both', { ids: [NOBODYS], filter: { q: 'a' } }, [], 'value_error'],
    ['no id', { ids: [] }, ['ids'], 'too_short'],
    [
      '1001 ids',
      { ids: Array.from({ length: 1_001 }, (_, i) => NOBODYS.slice(0, -4) + String(i).padStart(4, '0')) },
      ['ids'],
      'too_long',
    ],
    ['an id twice', { ids: [NOBODYS, NOBODYS] }, ['ids'], 'value_error'],
    ['no uuid', { ids: ['1'] }, ['ids', '0'], 'string_too_short'],
    ['an empty filter, which would be all', { filter: {} }, ['filter'], 'too_short'],
    [
      'a misspelt one',
      { filter: { createdbefore: '2030-01-01T00:00:00Z' } },
      ['filter', 'createdbefore'],
      'extra_forbidden',
    ],
    ['a null in it', { filter: { q: null } }, ['filter', 'q'], 'string_type'],
    [
      'no date-time in it',
      { filter: { createdBefore: 'yesterday, at noon or so' } },
      ['filter', 'createdBefore'],
      'datetime_parsing',
    ],
    ['a text for a flag', { filter: { q: 'a' }, dryRun: 'true' }, ['dryRun'], 'bool_type'],
  ])('%s', async (_, json, field, type) => {
    const { service, admin } = await shared();
    const line = 'POST /api/v1/access-tokens/revoke';
    await expectRefusal(service, () => send(service, line, { token: admin.token, json }), {
      status: 422,
      body: { detail: [{ loc: ['body', ...field], msg: ANY_STRING, type }] },
    });
  });
});

describe('of thousands', () => {
  /** A customer with 5,001 tokens, of which 2,600 are of one millisecond. */
  async function startThousands() {
    const service = await startService();
    const { client } = await service.admin();
    const path = { external_id: 'cus_42' };
    const owner = (await answered(putExternalUser({ client, path, body: {} }))).id;
    await answered(createAccessToken({ client, query: { owner }, body: { name: 'first', scopes: [] } }));
    await fill(service, owner, 5_000);
    const newest = `(select max(created_at) from access_tokens where owner_id = ${String(owner)})`;
    const same = `owner_id = ${String(owner)} and created_at between ${newest} - 3600 and ${newest} - 1001`;
    await change(service, `update access_tokens set created_at = ${newest} - 2000 where ${same}`);
    const left = async () =>
      Number(
        (
          await rowsOf(
            service,
            `select count(*) as count from access_tokens where owner_id = ${String(owner)} and revoked_at is null`,
          )
        )[0]?.['count'],
      );
    const counts = async () =>
      (await rowsOf(service, `select changes from audit_events where action = 'token.revoked'`)).map(({ changes }) => {
        const { count, ids } = JSON.parse(String(changes)) as { count: number; ids: string[] };
        return [count, ids.length];
      });
    return { service, client, path, query: { owner }, left, counts };
  }

  test('revokes each one in one transaction, with one event', async () => {
    const { service, client, query, left, counts } = await startThousands();
    await change(service, `update access_tokens set name = 'kept' where name = 'first' and created_at % 2 = 0`);
    const kept = await left();
    const body = { filter: { q: 'first' } } as const;
    const tried = await revoke(client, { ...body, dryRun: true }, query.owner);
    expect(await left()).toBe(kept);
    const revoked = await revoke(client, body, query.owner);
    expect([revoked.revokedCount, revoked.tokens.length]).toEqual([tried.revokedCount, 200]);
    expect(await left()).toBe(5_001 - revoked.revokedCount);
    const rest = await answered(revokeAllAccessTokens({ client, query }));
    expect(rest.revokedCount + revoked.revokedCount).toBe(5_001);
    expect(await left()).toBe(0);
    expect(await counts()).toEqual([
      [revoked.revokedCount, 1_000],
      [rest.revokedCount, 1_000],
    ]);
  });

  test('ends with the owner who is deleted', async () => {
    const { client, path, left, counts } = await startThousands();
    await answered(deleteExternalUser({ client, path }).then(({ response }) => ({ data: response })));
    expect(await left()).toBe(0);
    expect(await counts()).toEqual([[5_001, 1_000]]);
  });
});
