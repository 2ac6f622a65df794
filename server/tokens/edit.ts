import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Caller } from './caller.js';
import { requireValidCaller } from './caller-state.js';
import { getChangeable } from './changeable.js';
import type { Conditions } from './entity-tag.js';
import { expiryAfter, fixedForSessions } from './policy.js';
import { requireScopesOf, scopeSetId, WRITE } from './scopes.js';
import { endEarlierSecrets } from './secrets.js';
import { type AccessToken, metadataColumn, readToken, type TokenRow } from './token.js';

/** What is to change; what is undefined stays. */
export interface TokenEdit {
  name?: string | undefined;
  description?: string | undefined;
  /** Replaces what was there. */
  metadata?: Record<string, string> | undefined;
  /** 1 to 365 from now on, null for no expiry. */
  expiresInDays?: number | null | undefined;
  disabled?: boolean | undefined;
  scopes?: readonly string[] | undefined;
  /** Null ends all earlier secrets, and forgets the one before the newest. */
  previousSecret?: null | undefined;
}

/**
 * Edits the owner's token and gives it as it is then.
 *
 * Rejects with `not_found`, `token_revoked`, `precondition_failed`, with `insufficient_scope` where the token would then
 * have more scopes than the caller's, with `token_expired` for a new lifetime of an expired
 * token, and with `invalid_input` for one that the policy does not allow or that a session gets; with what
 * `requireValidCaller` rejects with.
 */
export function editToken(
  { db, now, config }: Deps,
  caller: Caller,
  uuid: string,
  { name, description, metadata, expiresInDays, disabled, scopes, previousSecret }: TokenEdit,
  conditions: Conditions,
): Promise<AccessToken> {
  return db.write(async (trx) => {
    const at = now();
    const holder = await requireValidCaller(trx, caller, at, [WRITE]);
    const { token, row } = await getChangeable(trx, caller.ownerId, uuid, conditions);
    if (row.id !== caller.tokenId || scopes !== undefined) {
      requireScopesOf(holder, { type: token.type, scopes: scopes ?? token.scopes });
    }
    if (scopes !== undefined && token.type === 'session') throw fixedForSessions('scopes');
    if (expiresInDays !== undefined) requireMovableExpiry(row, at);

    await trx
      .updateTable('access_tokens')
      .set({
        name: name ?? row.name,
        description: description === undefined ? row.description : description || null,
        metadata: metadata === undefined ? row.metadata : metadataColumn(metadata),
        expires_at: expiresInDays === undefined ? row.expires_at : expiryAfter(config, at, expiresInDays),
        lifetime_from: expiresInDays === undefined ? row.lifetime_from : at,
        // The first instant stays where it is disabled already.
        disabled_at: disabled === undefined ? row.disabled_at : disabled ? (row.disabled_at ?? at) : null,
        scope_set_id: scopes === undefined ? row.scope_set_id : await scopeSetId(trx, scopes),
      })
      .where('id', '=', row.id)
      .execute();
    if (previousSecret === null) await endEarlierSecrets(trx, row.id, at);
    return await readToken(trx, row.id);
  });
}

function requireMovableExpiry({ type, expires_at: expiresAt }: TokenRow, at: number): void {
  if (type === 'session') throw fixedForSessions('expiresInDays');
  if (expiresAt !== null && expiresAt <= at) throw new ServiceError('token_expired');
}
