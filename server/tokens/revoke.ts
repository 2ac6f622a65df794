import {
  hexOf,
  locking,
  lockOwnerFoundBy,
  lockOwners,
  lockOwnersAhead,
  type Queries,
  runPrepared,
  sendPrepared,
} from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { REVOKED_COLUMNS, recordRevocation } from '../events/revocations.js';
import { actingOwner, lockNamed, type NamedOwner, namesAnother } from './acting.js';
import type { AuthenticatedActor } from './actor.js';
import type { OwnerKey } from './caller.js';
import { asActing, requireValidCaller, requireValidCallerNow } from './caller-state.js';
import { type Conditions, checkConditions, checkUntagged } from './entity-tag.js';
import { isOneOf, type TokenKey, toTokenKey } from './find.js';
import type { Plaintext } from './plaintext.js';
import { revoked, revokedColumns } from './revocation.js';
import { revokeSelected, type Selected } from './revoke-selected.js';
import { WRITE } from './scopes.js';
import { ownerByRefreshToken, ownerBySecret } from './secrets.js';
import { MOST_SHOWN, readShown, type Selection, selectChanging, selectNamed } from './selection.js';
import type { AccessToken } from './token.js';

/**
 * Revokes a token of the caller, or of the owner that `named` names. A token that is already revoked keeps its instant, and
 * conditions are not checked.
 *
 * Rejects with `not_found`, also for another owner's token, and with `precondition_failed`. If the token is not the one that
 * the caller sent, or an owner is named, also rejects as `requireValidCaller` and `actingOwner` do.
 */
export async function revokeToken(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  uuid: string,
  conditions: Conditions,
): Promise<void> {
  const { caller } = actor;
  const { uuid: bytes, createdAt } = toTokenKey(uuid);
  const isOwn = !namesAnother(caller, named);
  await db.write(
    async (trx) => {
      const find = ({ organizationId, ownerId }: OwnerKey) =>
        runPrepared(trx, lockedToken, { uuid: bytes, createdAt, organizationId, ownerId });
      let own: ReturnType<typeof find> | undefined;
      if (isOwn) {
        await lockOwnersAhead(trx, caller.ownerId);
        // Sent ahead as well.
        own = find(caller);
        own.catch(() => undefined);
      } else {
        await lockNamed(trx, caller, named);
      }
      const endsItself = isOwn && uuid.toLowerCase() === caller.tokenUuid;
      const state = endsItself ? undefined : await requireValidCallerNow(trx, caller, now, [WRITE]);
      const { organizationId, ownerId, other } =
        state === undefined
          ? { organizationId: caller.organizationId, ownerId: caller.ownerId, other: null }
          : await actingOwner(trx, asActing(caller, state), named, 'revoke');
      const [row] = await (own ?? find({ organizationId, ownerId }));
      if (row === undefined) throw new ServiceError('not_found');
      if (row.revoked_at !== null) return;
      checkConditions(conditions, { version: row.version, secretStart: row.secret_start });
      const at = state?.at ?? now();
      const reason = other?.kind === 'person' ? 'admin' : 'user';
      await sendPrepared(trx, revocation, { id: row.id, at, by: caller.ownerId, reason });
      const { name, prefix } = row;
      await recordRevocation(trx, { at, by: actor, reason }, { organizationId, ownerId, uuid, name, prefix });
    },
    { owner: caller.ownerId, sharesCommit: false },
  );
}

/** The owner's token, which nobody else changes until `trx` ends. */
const lockedToken = (trx: Queries, { uuid, createdAt, organizationId, ownerId }: TokenKey & OwnerKey) =>
  locking(
    trx,
    trx
      .selectFrom('access_tokens as token')
      .select(['id', 'name', 'prefix', 'revoked_at', 'version', hexOf('secret_start').as('secret_start')])
      .where((eb) => isOneOf(eb, { organizationId, ownerId }, [{ uuid, createdAt }])),
  );

const revocation = (trx: Queries, { id, at, by, reason }: { id: number } & Parameters<typeof revokedColumns>[0]) =>
  trx.updateTable('access_tokens').set(revokedColumns({ at, by, reason })).where('id', '=', id);

/**
 * Revokes a personal access token of the caller's owner by its integer id. Rejects with `not_found`, also if it is already
 * revoked, and with `precondition_failed`. If it is not the token that the caller sent, also rejects as `requireValidCaller`
 * does.
 */
export async function revokePrivateToken(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  id: number,
  conditions: Conditions,
): Promise<void> {
  const { caller } = actor;
  await db.write(async (trx) => {
    await lockOwners(trx, caller.ownerId);
    const at = now();
    if (id !== caller.tokenId) await requireValidCaller(trx, caller, at, [WRITE]);
    const revocation = { at, by: actor, reason: 'user' } as const;
    const row = await trx
      .updateTable('access_tokens')
      .set(revoked(revocation))
      .where('id', '=', id)
      .where('owner_id', '=', caller.ownerId)
      .where('organization_id', '=', caller.organizationId)
      .where('type', '=', 'pat')
      .where('revoked_at', 'is', null)
      .returning(REVOKED_COLUMNS)
      .executeTakeFirst();
    if (row === undefined) throw new ServiceError('not_found');
    // The private tokens API has no entity tags. An error here rolls the revocation back.
    checkUntagged(conditions);
    await recordRevocation(trx, revocation, row);
  });
}

/**
 * Revokes the token or session that `plaintext` belongs to, whoever owns it: knowing its newest secret, or an earlier one in
 * its grace period, is enough. Disabled and expired tokens are revoked too, because they could be enabled or rotated. Any
 * other text changes nothing.
 */
export async function revokeByPlaintext(
  { db, now, config }: Deps,
  actor: AuthenticatedActor,
  plaintext: Plaintext,
): Promise<void> {
  const kind = plaintext.kind(config.brand);
  if (kind === undefined) return;
  const digest = plaintext.digest().bytes;
  await db.write(async (trx) => {
    await lockOwnerFoundBy(trx, kind === 'ref' ? ownerByRefreshToken : ownerBySecret, { digest });
    const at = now();
    const tokenOfSecret =
      kind === 'ref'
        ? trx.selectFrom('refresh_tokens').select('token_id').where('digest', '=', digest).where('expires_at', '>', at)
        : trx
            .selectFrom('token_secrets')
            .select('token_id')
            .where('digest', '=', digest)
            .where(({ or, eb }) => or([eb('valid_until', 'is', null), eb('valid_until', '>', at)]));
    const revocation = { at, by: actor, reason: 'presented' } as const;
    const row = await trx
      .updateTable('access_tokens')
      .set(revoked(revocation))
      .where('id', 'in', tokenOfSecret)
      .where('revoked_at', 'is', null)
      .returning(REVOKED_COLUMNS)
      .executeTakeFirst();
    if (row !== undefined) await recordRevocation(trx, revocation, row);
  });
}

export interface Revoked {
  /** Tokens that were not revoked before. */
  count: number;
  /** How many of the uuids belong to no token of the owner. */
  notFound: number;
  /** The newest 200 of them, as they are afterwards. */
  tokens: AccessToken[];
}

/**
 * Revokes the selected tokens of the caller, or of the owner that `named` names, except the one with the id `exceptId`, in one
 * transaction. With `dryRun`, only returns which tokens those are. Rejects as `requireValidCaller` and `actingOwner` do.
 */
export async function revokeTokens(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  selection: Selection,
  { exceptId, dryRun }: { exceptId: number | null; dryRun: boolean },
): Promise<Revoked> {
  const { caller } = actor;
  return await db.write(async (trx) => {
    await lockNamed(trx, caller, named);
    const at = now();
    const holder = await requireValidCaller(trx, caller, at, [WRITE]);
    const owner = await actingOwner(trx, asActing(caller, holder), named, 'revoke');
    const selected = selectChanging(trx, owner, selection, { at, exceptId });
    const shown = await selected
      .select('token.id')
      .orderBy('token.created_at', 'desc')
      .orderBy('token.id', 'desc')
      .limit(MOST_SHOWN)
      .execute();
    const uuids = 'uuids' in selection ? selection.uuids : [];
    const known = uuids.length === 0 ? [] : await selectNamed(trx, owner, uuids).select('token.id').execute();
    const count = dryRun
      ? await countSelected(selected)
      : await revokeSelected(trx, owner, selected, { at, by: actor, reason: 'bulk' });
    const ids = shown.map(({ id }) => id);
    return { count, notFound: uuids.length - known.length, tokens: await readShown(trx, ids) };
  });
}

/**
 * Revokes all tokens and sessions of the caller's owner, or of the owner that `named` names, except the one with the id
 * `exceptId`, and returns their number. The owner is locked, so that it revokes exactly the tokens created before it. Rejects
 * as `requireValidCaller` and `actingOwner` do.
 */
export async function revokeAllTokens(
  { db, now }: Deps,
  actor: AuthenticatedActor,
  named: NamedOwner,
  exceptId: number | null,
): Promise<number> {
  const { caller } = actor;
  return await db.write(async (trx) => {
    await lockNamed(trx, caller, named);
    const at = now();
    const holder = await requireValidCaller(trx, caller, at, [WRITE]);
    const { organizationId, ownerId } = await actingOwner(trx, asActing(caller, holder), named, 'revoke');
    const selected = trx
      .selectFrom('access_tokens as token')
      .where('token.owner_id', '=', ownerId)
      .where('token.organization_id', '=', organizationId)
      .where('token.revoked_at', 'is', null)
      .$if(exceptId !== null, (query) => query.where('token.id', '!=', exceptId));
    return await revokeSelected(trx, { organizationId, ownerId }, selected, { at, by: actor, reason: 'all' });
  });
}

async function countSelected(selected: Selected): Promise<number> {
  const { count } = await selected.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  return count;
}
