import { type SelectQueryBuilder, SqliteAdapter } from 'kysely';
import { type Build, runPrepared } from './prepared.js';
import type { Queries, Schema } from './schema.js';

// On PostgreSQL writes run beside each other, each statement on what is committed when it begins. So the first statement of
// a write locks what the write decides about: the organization, where it matters who is an administrator; then owners, by
// their ids, for whatever belongs to them. In this order no two writes wait for each other. On SQLite a write has the
// database for itself, and nothing here asks it anything.
//
// `for no key update`: the stronger `for update` would hold up each insert of a row that belongs to the locked one.

function hasOneWriter(queries: Queries): boolean {
  return queries.getExecutor().adapter instanceof SqliteAdapter;
}

/** Locks the organization until `trx` ends: nobody becomes or ceases to be an administrator meanwhile. */
export async function lockOrganization(trx: Queries, id: number): Promise<void> {
  if (!hasOneWriter(trx)) await runPrepared(trx, organization, { id });
}

const organization: Build<{ id: number }, unknown> = (trx, { id }) =>
  trx.selectFrom('organizations').select('id').where('id', '=', id).forNoKeyUpdate();

/** Locks the users with these ids until `trx` ends, and with them all that is theirs: tokens, sessions, kept answers. */
export async function lockOwners(trx: Queries, ...ids: readonly number[]): Promise<void> {
  if (hasOneWriter(trx)) return;
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) await runPrepared(trx, owner, { id });
}

const owner: Build<{ id: number }, unknown> = (trx, { id }) =>
  trx.selectFrom('users').select('id').where('id', '=', id).forNoKeyUpdate();

/** Locks the owner that `find` finds by something that stays with its owner, such as a token. */
export async function lockOwnerFoundBy<Parameters extends object>(
  trx: Queries,
  find: Build<Parameters, { owner_id: number }>,
  parameters: Parameters,
): Promise<void> {
  if (hasOneWriter(trx)) return;
  const [found] = await runPrepared(trx, find, parameters);
  if (found !== undefined) await lockOwners(trx, found.owner_id);
}

/** The rows that no other write has at this moment. */
export function withoutLocked<Tables extends keyof Schema, Row>(
  trx: Queries,
  query: SelectQueryBuilder<Schema, Tables, Row>,
): SelectQueryBuilder<Schema, Tables, Row> {
  return hasOneWriter(trx) ? query : query.forUpdate().skipLocked();
}
