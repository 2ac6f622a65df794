import { isOnPostgres } from './databases.js';
import type { Service } from './service.js';
import { change } from './store.js';

/** Inserts `count` further tokens of a user; nobody knows their secrets. */
export async function fill(service: Service, owner: number, count: number): Promise<void> {
  const columns =
    'organization_id, owner_id, type, name, prefix, created_at, scope_set_id, version, secret_start, expires_at';
  await change(
    service,
    `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${String(count)})
      insert into access_tokens (uuid, ${columns})
      select ${isOnPostgres ? "decode(md5(n::text), 'hex')" : 'randomblob(16)'}, ${columns.replace('created_at', 'created_at - n')}
      from numbers join access_tokens on access_tokens.id = (select min(id) from access_tokens where owner_id = ${String(owner)} and type = 'pat')`,
  );
}
