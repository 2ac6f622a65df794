import { expect, test } from 'vitest';
import {
  createAccessToken,
  listAccessTokenEvents,
  listAuditEvents,
  revokeAllAccessTokens,
} from '../../generated/index.js';
import { toUuid } from '../../server/uuid.js';
import { isOnPostgres } from '../support/databases.js';
import { answered, startService } from '../support/service.js';
import { change, rowsOf } from '../support/store.js';

test('the revocation of more tokens than an event lists is one event, with their number and the newest ids', async () => {
  const service = await startService();
  const admin = await service.admin();
  const { client } = await service.newUser();
  const { token: oldest } = await answered(createAccessToken({ client, body: { name: 'a' } }));
  const [row = {}] = await rowsOf(service, "select * from access_tokens where name = 'a'");
  const columns = Object.keys(row).filter((column) => column !== 'id');
  const uuid = isOnPostgres ? "decode(md5(i::text), 'hex')" : 'randomblob(16)';
  const values = columns.map((column) => ({ uuid, created_at: 'created_at + 1' })[column] ?? column);
  await change(
    service,
    `with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
      insert into access_tokens (${columns.join()}) select ${values.join()} from access_tokens, n where name = 'a'`,
  );
  const hex = isOnPostgres ? "encode(uuid, 'hex')" : 'lower(hex(uuid))';
  const newest = `select ${hex} as uuid from access_tokens where name = 'a' and created_at > ${String(row['created_at'])}`;
  const ids = (await rowsOf(service, newest)).map(({ uuid }) => toUuid(String(uuid)));
  service.clock.advance(1_000);
  const revoked = await answered(revokeAllAccessTokens({ client, query: { exclude_current: true } }));
  expect(revoked.revokedCount).toBe(1_001);

  const query = { action: 'token.revoked' } as const;
  const { items } = await answered(listAuditEvents({ client: admin.client, query }));
  expect(items).toHaveLength(1);
  const [event] = items;
  expect(event).toMatchObject({ target: { kind: 'tokens' }, changes: { count: 1_001 } });
  expect([...(event?.changes.ids ?? [])].sort()).toEqual(ids.sort());
  for (const id of [oldest.id, ids[0] ?? '']) {
    const own = await answered(listAccessTokenEvents({ client, path: { token_id: id } }));
    expect(own.items[0]).toMatchObject({ id: event?.id, action: 'token.revoked' });
  }
});
