import { hash } from 'node:crypto';
import { type Queries, runPrepared } from '../database/index.js';
import { ServiceError } from '../errors.js';
import { networkOf } from '../users/network.js';

/** Reports that one address may send in `WINDOW`, over all processes. */
const MOST = 60;
/** Milliseconds from an address's first report until its count starts anew: an hour. */
const WINDOW = 60 * 60_000;

/**
 * Counts a report from `address` in the transaction that stores it. Rejects with `too_many_requests` if the address has sent as
 * many as it may. All clients whose address is not known count as one.
 */
export async function countReport(trx: Queries, address: string | null, at: number): Promise<void> {
  const place = address === null ? 'unknown' : networkOf(address);
  const key = hash('sha256', JSON.stringify(['leak reports', place]), 'buffer').subarray(0, 16);
  const [counted] = await runPrepared(trx, count, { key, at, until: at + WINDOW });
  if (counted !== undefined) return;
  const [row] = await runPrepared(trx, endOf, { key });
  const seconds = Math.max(1, Math.ceil(((row?.expires_at ?? at) - at) / 1_000));
  throw new ServiceError('too_many_requests', {
    detail: 'Too many reports from this address. Try again after the time in Retry-After.',
    headers: { 'Retry-After': String(seconds) },
  });
}

const count = (trx: Queries, { key, at, until }: { key: Uint8Array; at: number; until: number }) =>
  trx
    .insertInto('login_attempts')
    .values(({ lit }) => ({ key, failed: lit(1), under_way: lit(0), expires_at: until }))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet(({ eb, ref, lit, val }) => {
          const isOver = () => eb.case().when('login_attempts.expires_at', '<=', at);
          return {
            failed: isOver()
              .then(lit(1))
              .else(eb('login_attempts.failed', '+', lit(1)))
              .end(),
            expires_at: isOver().then(val(until)).else(ref('login_attempts.expires_at')).end(),
          };
        })
        .where(({ or, eb, lit }) =>
          or([eb('login_attempts.expires_at', '<=', at), eb('login_attempts.failed', '<', lit(MOST))]),
        ),
    )
    .returning('key');

const endOf = (trx: Queries, { key }: { key: Uint8Array }) =>
  trx.selectFrom('login_attempts').select('expires_at').where('key', '=', key);
