import type { Caller } from '../caller.js';
import type { Deps } from '../deps.js';
import { invalidInput, ServiceError } from '../errors.js';
import { uuidBytes } from '../uuid.js';
import { checkIfMatch } from './entity-tag.js';
import { requireAlive } from './issue.js';
import { expiryAfter } from './policy.js';
import { type AccessToken, metadataColumn, TOKEN_COLUMNS, type TokenRow, toAccessToken } from './token.js';

/** What is to change; what is undefined stays. */
export interface TokenEdit {
  name?: string | undefined;
  description?: string | undefined;
  /** Replaces what was there. */
  metadata?: Record<string, string> | undefined;
  /** 1 to 365 from now on, null for no expiry. */
  expiresInDays?: number | null | undefined;
  disabled?: boolean | undefined;
}

/**
 * Edits the owner's token and gives it as it is then.
 *
 * Rejects with `not_found`, `token_revoked`, `precondition_failed`, with `token_expired` for a new lifetime of an expired
 * token, and with `invalid_input` for one that the policy does not allow or that a session gets; with what
 * `requireAlive` rejects with.
 */
export function editToken(
  { db, now, config }: Deps,
  caller: Caller,
  uuid: string,
  { name, description, metadata, expiresInDays, disabled }: TokenEdit,
  ifMatch: string | undefined,
): Promise<AccessToken> {
  return db.write(async (trx) => {
    await requireAlive(trx, caller);
    const row = await trx
      .selectFrom('access_tokens')
      .select(TOKEN_COLUMNS)
      .where('uuid', '=', uuidBytes(uuid))
      .where('owner_id', '=', caller.ownerId)
      .executeTakeFirst();
    if (row === undefined) throw new ServiceError('not_found');
    if (row.revoked_at !== null) throw new ServiceError('token_revoked');
    checkIfMatch(ifMatch, toAccessToken(row));
    const at = now();
    if (expiresInDays !== undefined) requireMovableExpiry(row, at);

    const edited = await trx
      .updateTable('access_tokens')
      .set({
        name: name ?? row.name,
        description: description === undefined ? row.description : description || null,
        metadata: metadata === undefined ? row.metadata : metadataColumn(metadata),
        expires_at: expiresInDays === undefined ? row.expires_at : expiryAfter(config, at, expiresInDays),
        // The first instant stays where it is disabled already.
        disabled_at: disabled === undefined ? row.disabled_at : disabled ? (row.disabled_at ?? at) : null,
      })
      .where('id', '=', row.id)
      .returning(TOKEN_COLUMNS)
      .executeTakeFirstOrThrow();
    return toAccessToken(edited);
  });
}

function requireMovableExpiry({ type, expires_at: expiresAt }: TokenRow, at: number): void {
  if (type === 'session') {
    throw invalidInput(['body', 'expiresInDays'], 'value_error', 'A session gets no other lifetime');
  }
  if (expiresAt !== null && expiresAt <= at) throw new ServiceError('token_expired');
}
