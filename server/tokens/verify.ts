import type { Queries, TokenType } from '../database/index.js';
import type { Deps } from '../deps.js';
import { digestOf, kindOf } from './format.js';

/** A secret that opens something, and whose. */
export interface VerifiedToken {
  id: number;
  type: TokenType;
  ownerId: number;
  uuid: Uint8Array;
}

/** Why a secret opens nothing; the log tells these apart, answers do not. */
export type Refusal = 'malformed' | 'unknown' | 'revoked' | 'expired' | 'owner_disabled';

export type Verdict = { valid: true; token: VerifiedToken } | { valid: false; refusal: Refusal };

interface SecretRow {
  id: number;
  uuid: Uint8Array;
  type: TokenType;
  owner_id: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  valid_until: number | null;
  disabled_at: number | null;
}

const secretByDigest = (read: Queries) =>
  read
    .selectFrom('token_secrets as secret')
    .innerJoin('access_tokens as token', 'token.id', 'secret.token_id')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .select([
      'token.id',
      'token.uuid',
      'token.type',
      'token.owner_id',
      'token.expires_at',
      'token.last_used_at',
      'token.revoked_at',
      'secret.valid_until',
      'owner.disabled_at',
    ])
    .where('secret.digest', '=', new Uint8Array());

/**
 * Whether `plaintext` opens anything at this moment, and for whom. Every use asks the database, so that a revocation
 * holds from its answer on, in every process on the same store.
 *
 * A refresh token is malformed here: it is no credential. Rejects only where the database does not answer.
 */
export async function verifyToken({ db, now, config, lastUsed }: Deps, plaintext: string): Promise<Verdict> {
  const kind = kindOf(config.brand, plaintext);
  if (kind !== 'pat' && kind !== 'ses') return { valid: false, refusal: 'malformed' };
  const [row] = await db.readPrepared<SecretRow>(secretByDigest, [digestOf(plaintext)]);
  if (row === undefined) return { valid: false, refusal: 'unknown' };
  const at = now();
  if (row.revoked_at !== null) return { valid: false, refusal: 'revoked' };
  if (isOver(row.expires_at, at) || isOver(row.valid_until, at)) return { valid: false, refusal: 'expired' };
  if (row.disabled_at !== null) return { valid: false, refusal: 'owner_disabled' };
  lastUsed.note(row.id, row.last_used_at, at);
  return { valid: true, token: { id: row.id, type: row.type, ownerId: row.owner_id, uuid: row.uuid } };
}

function isOver(end: number | null, at: number): boolean {
  return end !== null && end <= at;
}
