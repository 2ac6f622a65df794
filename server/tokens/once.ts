import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';
import { type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Caller } from './caller.js';
import { type CallerState, readCallerState, rejectionOf } from './caller-state.js';
import { Plaintext } from './plaintext.js';
import type { AccessToken, IssuedToken } from './token.js';

// What is asked for twice with one Idempotency-Key is done once. The answer is kept sealed with a key that takes the
// caller's secret to make: who has the database has none of the plaintexts in it.

/** Milliseconds that a request can be repeated. */
const KEPT = 24 * 60 * 60_000;
/** Milliseconds that a secret which the first attempt ended still gets that attempt's answer. */
const KEPT_FOR_ENDED = 10 * 60_000;
/** Old answers that each new one clears away, so that no write waits long. */
const CLEARED_AT_ONCE = 100;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** A request that names itself. */
export interface Attempt {
  /** Its `Idempotency-Key`. */
  key: string;
  /** A digest of all that is asked for. */
  request: string;
}

/** `parts` are what a request asks for; the order of their members does not count. */
export function toAttempt(key: string, parts: unknown): Attempt {
  const text = JSON.stringify(parts, (_, value: unknown) => (isRecord(value) ? sorted(value) : value));
  return { key, request: hash('sha256', text, 'base64url') };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Kept {
  request: string;
  result: IssuedToken;
}

/**
 * Runs `work` in a transaction, with what the caller may do and at what moment; or, where the same attempt of the same
 * caller was made within 24 hours, gives what came of that.
 *
 * Rejects with `idempotency_key_reused` where the key was sent with another request, with `idempotency_conflict` where
 * another secret of the caller's token sealed the answer, with what `rejectionOf` gives for a caller who repeats nothing,
 * and with what `readCallerState` rejects with.
 */
export function writeOnce(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  caller: Caller,
  attempt: Attempt | undefined,
  work: (trx: Queries, holder: CallerState, at: number) => Promise<IssuedToken>,
): Promise<IssuedToken> {
  return db.write(async (trx) => {
    const at = now();
    const state = await readCallerState(trx, caller, at);
    const rejection = rejectionOf(state);
    if (attempt === undefined) {
      if (rejection !== undefined) throw rejection;
      return await work(trx, state, at);
    }
    const id = idOf(caller, attempt.key);
    const key = caller.deriveKey(attempt.key);

    const after = at + (state.secret === 'ended' ? KEPT - KEPT_FOR_ENDED : 0);
    const [found] = await runPrepared(trx, keptAnswer, { id, after });
    const kept = found && unseal(found.sealed, key, id);
    if (rejection !== undefined && kept?.request !== attempt.request) throw rejection;
    if (found !== undefined && kept === undefined) throw new ServiceError('idempotency_conflict');
    if (kept !== undefined) {
      if (kept.request !== attempt.request) throw keyReused();
      return kept.result;
    }

    const result = await work(trx, state, at);
    const sealed = seal({ request: attempt.request, result }, key, id);
    await runPrepared(trx, clearAway, { at });
    await runPrepared(trx, keepAnswer, { id, sealed, expires_at: at + KEPT });
    return result;
  });
}

/** Whether an answer is kept under `key` that the caller's own secret has sealed. */
export async function hasKeptAnswer(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  caller: Caller,
  key: string,
): Promise<boolean> {
  const id = idOf(caller, key);
  const [found] = await runPrepared(db.read, keptAnswer, { id, after: now() });
  return found !== undefined && unseal(found.sealed, caller.deriveKey(key), id) !== undefined;
}

function idOf({ tokenId }: Caller, key: string): Uint8Array {
  return hash('sha256', `${String(tokenId)} ${key}`, 'buffer');
}

const keptAnswer = (trx: Queries, { id, after }: { id: Uint8Array; after: number }) =>
  trx
    .selectFrom('idempotent_answers')
    .select(['sealed', 'expires_at'])
    .where('id', '=', id)
    .where('expires_at', '>', after);

const keepAnswer = (
  trx: Queries,
  { id, sealed, expires_at }: { id: Uint8Array; sealed: Uint8Array; expires_at: number },
) =>
  trx
    .insertInto('idempotent_answers')
    .values({ id, sealed, expires_at })
    // One of a day ago that is not cleared away yet.
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

const clearAway = (trx: Queries, { at }: { at: number }) =>
  trx
    .deleteFrom('idempotent_answers')
    .where('id', 'in', (query) =>
      query
        .selectFrom('idempotent_answers')
        .select('id')
        .where('expires_at', '<=', at)
        .orderBy('expires_at')
        .limit(CLEARED_AT_ONCE),
    );

function seal({ request, result: { plaintext, token } }: Kept, key: Uint8Array, id: Uint8Array): Uint8Array {
  const text = JSON.stringify({ request, result: { plaintext: plaintext.reveal(), token } });
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(id);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** Undefined where another key sealed it. */
function unseal(bytes: Uint8Array, key: Uint8Array, id: Uint8Array): Kept | undefined {
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
    result: { plaintext: string; token: AccessToken };
  };
  return { request, result: { plaintext: new Plaintext(result.plaintext), token: result.token } };
}
