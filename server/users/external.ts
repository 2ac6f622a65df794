import { type Queries, runPrepared, searchTextOf } from '../database/index.js';
import type { Deps } from '../deps.js';
import { recordDeletedUser, recordNewUser, recordUser } from '../events/users.js';
import { lockNamed } from '../tokens/acting.js';
import type { AuthenticatedActor } from '../tokens/actor.js';
import { requireAdministrator } from '../tokens/administrators.js';
import type { Caller, OwnerKey } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { type Conditions, checkMissing, checkUntagged } from '../tokens/entity-tag.js';
import { ACT_AS } from '../tokens/scopes.js';
import { metadataColumn } from '../tokens/token.js';
import { requireNothingMovesTo, requireNotLeaving } from './offboarding-state.js';
import { noSuchUser, readUser, selectUsers, toUser, type User } from './user.js';
import { revokeOf } from './users.js';

// External owners: users whom the organization's own system knows, by an id of that system. They have no password.

/** What the organization's own system tells about an external owner. */
export interface ExternalWish {
  fullName?: string | undefined;
  email?: string | null | undefined;
  metadata?: Record<string, string> | undefined;
  /** Undefined leaves an owner who exists as it is. */
  disabled?: boolean | undefined;
}

/** Returns the external owner, also a disabled one. Rejects with `not_found`. */
export async function findExternal({ db }: Deps, { organizationId }: OwnerKey, externalId: string): Promise<User> {
  const [row] = await runPrepared(db.read, byExternalId, { organizationId, externalId });
  if (row === undefined) throw noSuchUser();
  return toUser(row);
}

/**
 * Adds the external owner, or replaces all that is known of it. Requests at the same time add one owner. Rejects with
 * `precondition_failed`, with `offboarding_under_way` if it would enable an owner who is being offboarded, and as `requireValidCaller` and `requireAdministrator` do.
 */
export async function putExternal(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  externalId: string,
  wish: ExternalWish,
  conditions: Conditions,
): Promise<{ user: User; isNew: boolean }> {
  const { caller } = actor;
  const { organizationId } = caller;
  const { fullName = '', email = null, metadata = {} } = wish;
  const columns = {
    full_name: fullName,
    contact_email: email,
    metadata: metadataColumn(metadata),
    search: searchTextOf({ kind: 'external', fullName, email, externalId }),
  };
  return await db.write(async (trx) => {
    const at = await beginChange(trx, caller, externalId, now);
    let [row] = await runPrepared(trx, byExternalId, { organizationId, externalId });
    while (row === undefined) {
      checkMissing(conditions);
      const disabledAt = wish.disabled === true ? at : null;
      const key = { organization_id: organizationId, kind: 'external', external_id: externalId } as const;
      const made = await trx
        .insertInto('users')
        .values({ ...key, ...columns, is_admin: 0, created_at: at, disabled_at: disabledAt })
        .onConflict((conflict) =>
          conflict.columns(['organization_id', 'external_id']).where('external_id', 'is not', null).doNothing(),
        )
        .returning('id')
        .executeTakeFirst();
      if (made !== undefined) {
        const user = await readUser(trx, made.id);
        await recordNewUser(trx, actor, at, user);
        return { user, isNew: true };
      }
      // Another request has added it since, and its commit was waited for. A third one may have deleted it again.
      await lockNamed(trx, caller, { externalOwner: externalId });
      [row] = await runPrepared(trx, byExternalId, { organizationId, externalId });
    }
    checkUntagged(conditions);
    const before = toUser(row);
    if (wish.disabled === false) await requireNotLeaving(trx, before.id);
    const disabled = wish.disabled ?? before.disabledAt !== null;
    await trx
      .updateTable('users')
      .set({ ...columns, disabled_at: disabled ? (before.disabledAt ?? at) : null })
      .where('id', '=', before.id)
      .where('organization_id', '=', organizationId)
      .execute();
    const user = await readUser(trx, before.id);
    await recordUser(trx, actor, at, before, user);
    return { user, isNew: false };
  });
}

/**
 * Deletes the external owner: revokes all its tokens, and forgets name, e-mail, metadata and the external id. The row stays,
 * since tokens and events refer to it. Rejects with `not_found`, with `precondition_failed`, with `offboarding_under_way` if an
 * offboarding moves tokens from or to the owner, and as `requireValidCaller` and `requireAdministrator` do.
 */
export async function deleteExternal(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  externalId: string,
  conditions: Conditions,
): Promise<void> {
  const { caller } = actor;
  const { organizationId } = caller;
  await db.write(async (trx) => {
    const at = await beginChange(trx, caller, externalId, now);
    const [row] = await runPrepared(trx, byExternalId, { organizationId, externalId });
    if (row === undefined) throw noSuchUser();
    checkUntagged(conditions);
    const user = toUser(row);
    await requireNotLeaving(trx, user.id);
    await requireNothingMovesTo(trx, user.id);
    const owner = { organizationId, ownerId: user.id };
    await revokeOf(trx, owner, 'all', { at, by: actor, reason: 'deleted' });
    await trx
      .updateTable('users')
      .set({
        external_id: null,
        full_name: '',
        contact_email: null,
        metadata: null,
        search: null,
        disabled_at: user.disabledAt ?? at,
        deleted_at: at,
      })
      .where('id', '=', user.id)
      .where('organization_id', '=', organizationId)
      .execute();
    await recordDeletedUser(trx, actor, at, user);
  });
}

/** Locks the caller's owner and the external owner, if there is one, checks the caller, and returns the instant of the change. */
async function beginChange(trx: Queries, caller: Caller, externalId: string, now: Deps['now']): Promise<number> {
  await lockNamed(trx, caller, { externalOwner: externalId });
  const at = now();
  await requireValidCaller(trx, caller, at, [ACT_AS]);
  await requireAdministrator(trx, caller, [ACT_AS]);
  return at;
}

const byExternalId = (
  queries: Queries,
  { organizationId, externalId }: { organizationId: number; externalId: string },
) =>
  selectUsers(queries)
    .where('user.organization_id', '=', organizationId)
    .where('user.external_id', '=', externalId)
    .where('user.kind', '=', 'external');
