import { sql } from 'kysely';
import { type Queries, runPrepared, sendPrepared } from '../database/index.js';

// The rows of `login_attempts`, which all processes of the service share. An attempt takes a place before the password is
// checked, so that the places of all attempts under way and of all failures together are never more than the limit.

/** Milliseconds after the first failure until the count starts anew. */
const WINDOW = 15 * 60_000;

/** The count is never below 0: the row may have expired since the place was taken, and have begun a new count. */
const oneLess = sql<number>`case when under_way > 0 then under_way - 1 else 0 end`;

/** What a row counts, and how many failures are allowed. */
export interface Limit {
  key: Uint8Array;
  most: number;
}

export interface Count {
  failed: number;
  under_way: number;
  expires_at: number;
}

/** No place is free: the allowed number of attempts have failed or are under way. */
export class NoPlace extends Error {
  override name = 'NoPlace';

  constructor(
    readonly limit: Limit,
    readonly count: Count,
  ) {
    super('too many attempts');
  }
}

/** Takes one place for each limit, always in the same order, so that no deadlock occurs. Rejects with `NoPlace`. */
export async function takePlaces(trx: Queries, limits: readonly Limit[], at: number): Promise<void> {
  for (const limit of limits) {
    const [taken] = await runPrepared(trx, takePlace, { ...limit, at, until: at + WINDOW });
    if (taken !== undefined) continue;
    const [count] = await runPrepared(trx, countOf, { key: limit.key });
    // The row may have been deleted since. Only expired rows are deleted.
    throw new NoPlace(limit, count ?? { failed: 0, under_way: limit.most, expires_at: at });
  }
}

const takePlace = (
  trx: Queries,
  { key, most, at, until }: { key: Uint8Array; most: number; at: number; until: number },
) =>
  trx
    .insertInto('login_attempts')
    .values(({ lit }) => ({ key, failed: lit(0), under_way: lit(1), expires_at: until }))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet(({ eb, ref, lit, val }) => {
          const expired = () => eb.case().when('login_attempts.expires_at', '<=', at);
          return {
            failed: expired().then(lit(0)).else(ref('login_attempts.failed')).end(),
            under_way: expired()
              .then(lit(1))
              .else(eb('login_attempts.under_way', '+', lit(1)))
              .end(),
            // The expiry does not move while places are taken, so the places of a process that ended expire with the row.
            expires_at: eb
              .case()
              .when(
                eb.or([
                  eb('login_attempts.expires_at', '<=', at),
                  eb(eb('login_attempts.failed', '+', ref('login_attempts.under_way')), '=', lit(0)),
                ]),
              )
              .then(val(until))
              .else(ref('login_attempts.expires_at'))
              .end(),
          };
        })
        .where(({ or, eb }) =>
          or([
            eb('login_attempts.expires_at', '<=', at),
            eb(eb('login_attempts.failed', '+', eb.ref('login_attempts.under_way')), '<', most),
          ]),
        ),
    )
    .returning('key');

const countOf = (queries: Queries, { key }: { key: Uint8Array }) =>
  queries.selectFrom('login_attempts').select(['failed', 'under_way', 'expires_at']).where('key', '=', key);

/** Turns the places that an attempt took into failures. */
export async function countFailure(trx: Queries, limits: readonly Limit[], at: number): Promise<void> {
  for (const { key } of limits) await sendPrepared(trx, fail, { key, until: at + WINDOW });
}

const fail = (trx: Queries, { key, until }: { key: Uint8Array; until: number }) =>
  trx
    .updateTable('login_attempts')
    .set(({ eb, ref, lit, val }) => ({
      failed: eb('failed', '+', lit(1)),
      under_way: oneLess,
      expires_at: eb.case().when('failed', '=', lit(0)).then(val(until)).else(ref('expires_at')).end(),
    }))
    .where('key', '=', key);

/** Gives the places back that an attempt took, and deletes the failures of `pair`. */
export async function giveBack(trx: Queries, pair: Limit, network: Limit): Promise<void> {
  await sendPrepared(trx, forget, { key: pair.key });
  await sendPrepared(trx, leave, { key: network.key });
}

const forget = (trx: Queries, { key }: { key: Uint8Array }) =>
  trx
    .updateTable('login_attempts')
    .set(({ lit }) => ({ failed: lit(0), under_way: oneLess }))
    .where('key', '=', key);

const leave = (trx: Queries, { key }: { key: Uint8Array }) =>
  trx.updateTable('login_attempts').set({ under_way: oneLess }).where('key', '=', key);

/** Counts attempts whose process has ended as failures, unless the row has changed since it was read as `count`. */
export async function failAbandoned(trx: Queries, { key }: Limit, count: Count): Promise<void> {
  await runPrepared(trx, settle, { key, ...count });
}

const settle = (trx: Queries, { key, failed, under_way, expires_at }: Count & { key: Uint8Array }) =>
  trx
    .updateTable('login_attempts')
    .set(({ eb, ref, lit }) => ({ failed: eb('failed', '+', ref('under_way')), under_way: lit(0) }))
    .where('key', '=', key)
    .where('failed', '=', failed)
    .where('under_way', '=', under_way)
    .where('expires_at', '=', expires_at);

/** Whether the row of `key` has not expired. */
export async function isRemembered(queries: Queries, key: Uint8Array, at: number): Promise<boolean> {
  const [count] = await runPrepared(queries, countOf, { key });
  return count !== undefined && count.expires_at > at;
}

/** Writes a row that states only until when `key` is remembered. */
export async function remember(trx: Queries, key: Uint8Array, until: number): Promise<void> {
  await sendPrepared(trx, keep, { key, until });
}

const keep = (trx: Queries, { key, until }: { key: Uint8Array; until: number }) =>
  trx
    .insertInto('login_attempts')
    .values(({ lit }) => ({ key, failed: lit(0), under_way: lit(0), expires_at: until }))
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ expires_at: until }));
