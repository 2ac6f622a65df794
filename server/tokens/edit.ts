import { searchColumn } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { recordEdit } from '../events/edits.js';
import { actingOwner, lockNamed, type NamedOwner } from './acting.js';
import type { AuthenticatedActor } from './actor.js';
import { requireAdministrator, requireScopesForKind } from './administrators.js';
import { asActing, requireValidCaller } from './caller-state.js';
import { requireBelow } from './ceiling.js';
import { changeToken, getChangeable } from './changeable.js';
import type { Conditions } from './entity-tag.js';
import { expiryAfter, fixedForSessions } from './policy.js';
import { requireOwnWords, requireScopesOf, scopeSetId, WRITE } from './scopes.js';
import { endEarlierSecrets, NO_PREVIOUS_SECRET } from './secrets.js';
import { metadataColumn, readToken, type TokenRow, type VersionedToken } from './token.js';

/** The members to change; undefined ones stay as they are. */
export interface TokenEdit {
  name?: string | undefined;
  description?: string | undefined;
  /** Replaces all metadata. */
  metadata?: Record<string, string> | undefined;
  /** 1 to 365 days from now, or null for no expiry. */
  expiresInDays?: number | null | undefined;
  disabled?: boolean | undefined;
  scopes?: readonly string[] | undefined;
  /** Null ends all earlier secrets at once and removes `previousSecret` from the record. */
  previousSecret?: null | undefined;
}

/**
 * Edits a token of the caller, or of the owner that `named` names, and returns its new record.
 *
 * Rejects with `not_found`, `token_revoked` and `precondition_failed`; with `scopes_above_ceiling`; with `insufficient_scope` if the token would have
 * more scopes than the caller; with `token_expired` for a new lifetime of an expired token; with `invalid_input` for a
 * lifetime that the policy forbids, for a lifetime or scopes of a session, and for a reserved scope that the token does not
 * have; and as `requireValidCaller` and `actingOwner` do.
 */
export function editToken(
  { db, now, config }: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  uuid: string,
  { name, description, metadata, expiresInDays, disabled, scopes, previousSecret }: TokenEdit,
  conditions: Conditions,
): Promise<VersionedToken> {
  const { caller } = actor;
  return db.write(async (trx) => {
    await lockNamed(trx, caller, named);
    const at = now();
    const holder = await requireValidCaller(trx, caller, at, [WRITE]);
    const owner = await actingOwner(trx, asActing(caller, holder), named, 'change');
    const { token, row } = await getChangeable(trx, owner, uuid, conditions);
    if (scopes !== undefined) requireOwnWords(scopes, token.scopes);
    const added = scopes?.filter((scope) => !token.scopes.includes(scope)) ?? [];
    await requireAdministrator(trx, caller, added);
    if (owner.other !== null) requireScopesForKind(owner.other.kind, added);
    requireBelow((owner.other ?? holder).ceiling, added);
    if (row.id !== caller.tokenId || scopes !== undefined) {
      requireScopesOf(holder, { type: token.type, scopes: scopes ?? token.scopes });
    }
    if (scopes !== undefined && token.type === 'session') throw fixedForSessions('scopes');
    if (expiresInDays !== undefined) requireMovableExpiry(row, at);

    const newName = name ?? row.name;
    const newDescription = description === undefined ? row.description : description || null;
    if (previousSecret === null) await endEarlierSecrets(trx, row.id, at);
    await changeToken(trx, row, {
      name: newName,
      description: newDescription,
      search: searchColumn(newName, newDescription),
      metadata: metadata === undefined ? row.metadata : metadataColumn(metadata),
      expires_at: expiresInDays === undefined ? row.expires_at : expiryAfter(config, at, expiresInDays),
      lifetime_from: expiresInDays === undefined ? row.lifetime_from : at,
      // A token that is already disabled keeps its instant.
      disabled_at: disabled === undefined ? row.disabled_at : disabled ? (row.disabled_at ?? at) : null,
      scope_set_id: scopes === undefined ? row.scope_set_id : await scopeSetId(trx, scopes),
      ...(previousSecret === null && NO_PREVIOUS_SECRET),
    });
    const edited = await readToken(trx, row.id);
    await recordEdit(trx, actor, at, owner, token, edited);
    return edited;
  });
}

function requireMovableExpiry({ type, expires_at: expiresAt }: TokenRow, at: number): void {
  if (type === 'session') throw fixedForSessions('expiresInDays');
  if (expiresAt !== null && expiresAt <= at) throw new ServiceError('token_expired');
}
