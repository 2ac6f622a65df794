import { type SelectQueryBuilder, SqliteAdapter, sql } from 'kysely';
import { type Build, runPrepared, sendPrepared } from './prepared.js';
import type { Queries, Schema } from './schema.js';

// On PostgreSQL, writes run at the same time, and each statement sees what was committed before the statement began. So
// a write first locks the rows that its decisions depend on: the organization, if the write depends on who is an
// administrator; then the owners of the tokens, in the order of their ids. All writes lock in this order, so that no
// deadlock occurs. On SQLite only one write runs at a time, so the functions of this file query nothing.
//
// The locks are `for no key update`. The stronger `for update` would block inserts of rows that refer to the locked
// row.

/** Whether one write at a time runs, and the engine is in this process. */
export function hasOneWriter(queries: Queries): boolean {
  return queries.getExecutor().adapter instanceof SqliteAdapter;
}

/** Locks the organization until `trx` ends. Until then, other writes that lock the same organization wait. */
export async function lockOrganization(trx: Queries, id: number): Promise<void> {
  if (!hasOneWriter(trx)) await runPrepared(trx, organization, { id });
}

const organization: Build<{ id: number }, unknown> = (trx, { id }) =>
  trx.selectFrom('organizations').select('id').where('id', '=', id).forNoKeyUpdate();

/** Locks the users with these ids until `trx` ends. Until then, other writes that lock one of these users wait. */
export async function lockOwners(trx: Queries, ...ids: readonly number[]): Promise<void> {
  if (hasOneWriter(trx)) return;
  // The server takes them in this order, although all are sent at once.
  await Promise.all(inOrder(ids).map((id) => runPrepared(trx, owner, { id })));
}

const owner: Build<{ id: number }, unknown> = (trx, { id }) =>
  trx.selectFrom('users').select('id').where('id', '=', id).forNoKeyUpdate();

/**
 * Locks users as `lockOwners` does, and the user `external` among them if that user still has the external id when the lock is
 * there. Returns whether it has; false without `external`.
 */
export async function lockOwnersAnd(
  trx: Queries,
  ids: readonly number[],
  external: { id: number; externalOwner: string } | undefined,
): Promise<boolean> {
  let isThere = false;
  for (const id of inOrder(external === undefined ? ids : [...ids, external.id])) {
    if (id === external?.id) isThere = (await runPrepared(trx, externalOwnerOf, external)).length > 0;
    else await runPrepared(trx, owner, { id });
  }
  return isThere;
}

const externalOwnerOf: Build<{ id: number; externalOwner: string }, unknown> = (trx, { id, externalOwner }) =>
  trx.selectFrom('users').select('id').where('id', '=', id).where('external_id', '=', externalOwner).forNoKeyUpdate();

function inOrder(ids: readonly number[]): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

/**
 * Locks the users with these ids as `lockOwners` does, but may resolve before the locks are there. The next query on `trx` waits
 * for the locks, so read the clock after that query.
 */
export async function lockOwnersAhead(trx: Queries, ...ids: readonly number[]): Promise<void> {
  if (hasOneWriter(trx)) return;
  for (const id of inOrder(ids)) await sendPrepared(trx, owner, { id });
}

/**
 * Locks the owner whose id `find` selects. `find` must look for something that seldom changes its owner, such as a token. If a
 * token got another owner while the lock was waited for, the rows themselves still protect the write.
 */
export async function lockOwnerFoundBy<Parameters extends object>(
  trx: Queries,
  find: Build<Parameters, { owner_id: number }>,
  parameters: Parameters,
): Promise<void> {
  if (hasOneWriter(trx)) return;
  const [found] = await runPrepared(trx, find, parameters);
  if (found !== undefined) await lockOwners(trx, found.owner_id);
}

/**
 * Locks the tokens with these ids, in their order, for a write of many owners' tokens that decides nothing. May resolve before
 * the locks are there, as `lockOwnersAhead` does.
 */
export async function lockTokensAhead(trx: Queries, ids: readonly number[]): Promise<void> {
  if (!hasOneWriter(trx)) await sendPrepared(trx, tokens, { ids });
}

const tokens: Build<{ ids: readonly number[] }, unknown> = (trx, { ids }) =>
  trx
    .selectFrom('access_tokens')
    .select('id')
    .where(({ eb, fn }) => eb('id', '=', fn.any(sql<number[]>`${ids}::bigint[]`)))
    .orderBy('id')
    .forNoKeyUpdate();

/** Selects the digest of the key that seals secrets, and locks its row, so that the key cannot be replaced meanwhile. */
export const lockedDigest: Build<object, { digest: Uint8Array }> = (trx) => {
  return locking(trx, trx.selectFrom('secret_keys').select('digest').where('id', '=', 1));
};

/** Makes `query` lock the rows of its one table until `trx` ends. */
export function locking<Query extends { forNoKeyUpdate(): Query }>(trx: Queries, query: Query): Query {
  return hasOneWriter(trx) ? query : query.forNoKeyUpdate();
}

/** Makes `query` skip the rows that another write has locked. `trx` locks the rows that `query` returns. */
export function withoutLocked<Tables extends keyof Schema, Row>(
  trx: Queries,
  query: SelectQueryBuilder<Schema, Tables, Row>,
): SelectQueryBuilder<Schema, Tables, Row> {
  return hasOneWriter(trx) ? query : query.forUpdate().skipLocked();
}
