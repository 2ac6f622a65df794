import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import { lockOwnersAhead, type Queries, runPrepared, sendPrepared, withoutLocked } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import {
  type Act,
  type ActingOwner,
  actingOwner,
  findOwner,
  lockNamed,
  type NamedOwner,
  namesAnother,
} from './acting.js';
import type { Caller, OwnerKey } from './caller.js';
import { asActing, type CallerState, readCallerState, rejectionOf } from './caller-state.js';
import { Plaintext } from './plaintext.js';
import type { AccessToken, IssuedToken, VersionedToken } from './token.js';

// If a caller repeats a request with the same Idempotency-Key, the service does the work for the first request only and
// answers the repetition with the stored answer. The answer is encrypted with a key derived from the caller's secret,
// so that a stolen database reveals no plaintext.

/** Milliseconds after the first request in which a repetition gets the stored answer: 24 hours. */
const STORED_FOR = 24 * 60 * 60_000;
/**
 * Milliseconds after the first request in which a repetition with an ended secret gets the stored answer: 10 minutes.
 * Usually the first request ended the secret, by rotating the caller's own token without a grace period.
 */
const STORED_FOR_ENDED = 10 * 60_000;
/** The most expired answers that one write deletes, so that no write takes long. */
const DELETED_AT_ONCE = 100;
/** Bytes. */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** What makes a request with an `Idempotency-Key` recognisable when it is repeated. */
export interface Idempotency {
  /** The `Idempotency-Key` of the request. */
  key: string;
  /** A digest of everything that the request asks for: two requests with the same digest ask for the same. */
  request: string;
}

/** Creates the `Idempotency` of a request that consists of `parts`. The order of an object's members makes no difference. */
export function toIdempotency(key: string, parts: unknown): Idempotency {
  const text = JSON.stringify(parts, (_, value: unknown) => (isRecord(value) ? sorted(value) : value));
  return { key, request: hash('sha256', text, 'base64url') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A stored answer, decrypted. */
interface StoredAnswer {
  request: string;
  result: IssuedToken;
}

/**
 * Runs `work` in a transaction and stores its result for repetitions of the request. If the caller sent the same request
 * with the same key for the same owner in the last 24 hours, returns the stored result and does not run `work`. With an
 * ended secret, the time is 10 minutes. `work` gets what the caller may do, the owner for whom the caller does `act`, and
 * the instant of the transaction in milliseconds since 1970.
 *
 * Rejects as `readCallerState`, `actingOwner` and `work` do, and with:
 * - `idempotency_key_reused` if the caller used the key for a different request.
 * - `idempotency_conflict` if the first request was sent with another secret of the caller's token, because only the
 *   other secret can decrypt the answer.
 * - The error of `rejectionOf`, unless the request is a repetition whose stored answer the caller's secret can decrypt.
 */
export function writeOnce<Issued extends IssuedToken>(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  caller: Caller,
  { named, act }: { named: NamedOwner; act: Act },
  idempotency: Idempotency | undefined,
  work: (trx: Queries, holder: CallerState, owner: ActingOwner, at: number) => Promise<Issued>,
): Promise<Issued | IssuedToken> {
  const isOwn = !namesAnother(caller, named);
  return db.write(
    async (trx) => {
      if (!isOwn) await lockNamed(trx, caller, named);
      else await lockOwnersAhead(trx, caller.ownerId);
      const state = await readCallerState(trx, caller, now);
      const { at } = state;
      const rejection = rejectionOf(state);
      if (idempotency === undefined && rejection !== undefined) throw rejection;
      const owner = await actingOwner(trx, asActing(caller, state), named, act);
      if (idempotency === undefined) return await work(trx, state, owner, at);
      const id = idOf(caller, owner, idempotency.key);
      const key = caller.deriveKey(idempotency.key);

      // A stored answer expires `STORED_FOR` after its request. So an answer that expires later than
      // `at + STORED_FOR - STORED_FOR_ENDED` is younger than `STORED_FOR_ENDED`.
      const after = at + (state.secret === 'ended' ? STORED_FOR - STORED_FOR_ENDED : 0);
      const [found] = await runPrepared(trx, storedAnswer, { id, after });
      const stored = found && decrypt(found.sealed, key, id);
      if (rejection !== undefined && stored?.request !== idempotency.request) throw rejection;
      if (found !== undefined && stored === undefined) throw new ServiceError('idempotency_conflict');
      if (stored !== undefined) {
        if (stored.request !== idempotency.request) throw keyReused();
        return stored.result;
      }

      const result = await work(trx, state, owner, at);
      const sealed = encrypt({ request: idempotency.request, result }, key, id);
      await sendPrepared(trx, deleteExpiredAnswers, { at, most: DELETED_AT_ONCE });
      await sendPrepared(trx, storeAnswer, { id, sealed, expires_at: at + STORED_FOR });
      return result;
    },
    { owner: caller.ownerId, sharesCommit: isOwn && act === 'create' },
  );
}

/**
 * Whether an unexpired answer for the `Idempotency-Key` `key` and the named owner is stored, and the caller's secret can
 * decrypt the answer.
 */
export async function hasStoredAnswer(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  caller: Caller,
  named: NamedOwner,
  key: string,
): Promise<boolean> {
  const other = namesAnother(caller, named) ? await findOwner(db.read, caller, named) : undefined;
  const id = idOf(caller, { ownerId: other?.id ?? caller.ownerId }, key);
  const [found] = await runPrepared(db.read, storedAnswer, { id, after: now() });
  return found !== undefined && decrypt(found.sealed, caller.deriveKey(key), id) !== undefined;
}

function idOf(caller: Caller, { ownerId }: Pick<OwnerKey, 'ownerId'>, key: string): Uint8Array {
  // No key contains a space, so that the texts for the caller's own tokens and for others differ.
  const other = ownerId === caller.ownerId ? '' : `for ${String(ownerId)} `;
  return hash('sha256', `${String(caller.tokenId)} ${other}${key}`, 'buffer');
}

const storedAnswer = (trx: Queries, { id, after }: { id: Uint8Array; after: number }) =>
  trx
    .selectFrom('idempotent_answers')
    .select(['sealed', 'expires_at'])
    .where('id', '=', id)
    .where('expires_at', '>', after);

const storeAnswer = (
  trx: Queries,
  { id, sealed, expires_at }: { id: Uint8Array; sealed: Uint8Array; expires_at: number },
) =>
  trx
    .insertInto('idempotent_answers')
    .values({ id, sealed, expires_at })
    // The table may still have an expired answer with this id.
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ sealed, expires_at }));

function keyReused(): ServiceError {
  return new ServiceError('idempotency_key_reused', {
    problems: [
      {
        loc: ['header', 'Idempotency-Key'],
        msg: 'This key was already used for a different request; use a new key',
        type: 'value_error',
      },
    ],
  });
}

/** Deletes at most `most` answers that have expired at the instant `at`, and returns their ids. */
export const deleteExpiredAnswers = (trx: Queries, { at, most }: { at: number; most: number }) =>
  trx
    .deleteFrom('idempotent_answers')
    .where('id', 'in', (query) =>
      withoutLocked(
        trx,
        query
          .selectFrom('idempotent_answers')
          .select('id')
          .where('expires_at', '<=', at)
          .orderBy('expires_at')
          .limit(most),
      ),
    )
    .returning('id');

function encrypt({ request, result: { plaintext, token } }: StoredAnswer, key: Uint8Array, id: Uint8Array): Uint8Array {
  const text = JSON.stringify({ request, result: { plaintext: plaintext.reveal(), token } });
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(id);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Decrypts a stored answer. Returns undefined if `key` is not the key with which the answer was encrypted. */
function decrypt(bytes: Uint8Array, key: Uint8Array, id: Uint8Array): StoredAnswer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH })
    .setAAD(id)
    .setAuthTag(bytes.subarray(NONCE_LENGTH, NONCE_LENGTH + TAG_LENGTH));
  const start = decipher.update(bytes.subarray(NONCE_LENGTH + TAG_LENGTH));
  let text: string;
  try {
    text = Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
  const { request, result } = JSON.parse(text) as {
    request: string;
    result: { plaintext: string; token: AccessToken & Partial<VersionedToken> };
  };
  const plaintext = new Plaintext(result.plaintext);
  // Answers stored by an earlier version lack these two members. No token has version 0, so a change with the entity
  // tag of such an answer gets 412.
  const untagged = { version: 0, secretStart: '0'.repeat(8) };
  return { request, result: { plaintext, token: { ...untagged, ...result.token } } };
}
