import { type Queries, runPrepared } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { Caller } from './caller.js';
import { requireValidCaller } from './caller-state.js';
import { type Conditions, checkConditions, checkUntagged } from './entity-tag.js';
import { keeps, type TokenFilter } from './filter.js';
import { isOneOf, type TokenKey, tokenByUuid, toTokenKey } from './find.js';
import type { Plaintext } from './plaintext.js';
import { ADMINISTER, requireScopes, WRITE } from './scopes.js';
import { type AccessToken, selectTokens, toAccessToken } from './token.js';

/**
 * Revokes the owner's token. One that is revoked already keeps its first instant, whatever the conditions are: it is a
 * repetition. Rejects with `not_found`, for another owner's token as for none, and with `precondition_failed`; where the
 * token is not the caller's own, with what `requireValidCaller` rejects with, and with `insufficient_scope` for another owner's.
 */
export async function revokeToken(
  { db, now }: Deps,
  caller: Caller,
  ownerId: number,
  uuid: string,
  conditions: Conditions,
): Promise<void> {
  const key = toTokenKey(uuid);
  await db.write(async (trx) => {
    const at = now();
    if (uuid.toLowerCase() !== caller.tokenUuid) {
      const holder = await requireValidCaller(trx, caller, at, [WRITE]);
      if (ownerId !== caller.ownerId) requireScopes(holder, [ADMINISTER]);
    }
    if (conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined) {
      const [row] = await runPrepared(trx, tokenByUuid, { ...key, ownerId });
      if (row !== undefined && row.revoked_at === null) checkConditions(conditions, toAccessToken(row));
    }
    const revoked = await runPrepared(trx, revocation, { ...key, ownerId, at });
    if (revoked.length === 0) throw new ServiceError('not_found');
  });
}

const revocation = (trx: Queries, { uuid, createdAt, ownerId, at }: TokenKey & { ownerId: number; at: number }) =>
  trx
    .updateTable('access_tokens as token')
    .set(({ fn, val }) => ({ revoked_at: fn.coalesce('revoked_at', val(at)) }))
    .where((eb) => isOneOf(eb, ownerId, [{ uuid, createdAt }]))
    .returning('id');

/**
 * Revokes the caller's personal access token by its integer id. Rejects with `not_found` where it is revoked already, with
 * `precondition_failed`, and where the token is not the caller's own with what `requireValidCaller` rejects with.
 */
export async function revokePrivateToken(
  { db, now }: Deps,
  caller: Caller,
  id: number,
  conditions: Conditions,
): Promise<void> {
  await db.write(async (trx) => {
    const at = now();
    if (id !== caller.tokenId) await requireValidCaller(trx, caller, at, [WRITE]);
    const { numUpdatedRows } = await trx
      .updateTable('access_tokens')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('owner_id', '=', caller.ownerId)
      .where('type', '=', 'pat')
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new ServiceError('not_found');
    // As this API shows it, it has none; what is thrown here takes the revocation back.
    checkUntagged(conditions);
  });
}

/**
 * Revokes the token, or the session, that `plaintext` is a secret of, whoever owns it: to hold the newest one, or an
 * earlier one in its grace period, is authority enough. That the token is disabled or has expired does not matter, since
 * either can be undone. Anything else changes nothing.
 */
export async function revokeByPlaintext({ db, now, config }: Deps, plaintext: Plaintext): Promise<void> {
  const kind = plaintext.kind(config.brand);
  if (kind === undefined) return;
  const digest = plaintext.digest().bytes;
  await db.write(async (trx) => {
    const at = now();
    const tokenOfSecret =
      kind === 'ref'
        ? trx.selectFrom('refresh_tokens').select('token_id').where('digest', '=', digest).where('expires_at', '>', at)
        : trx
            .selectFrom('token_secrets')
            .select('token_id')
            .where('digest', '=', digest)
            .where(({ or, eb }) => or([eb('valid_until', 'is', null), eb('valid_until', '>', at)]));
    await trx
      .updateTable('access_tokens')
      .set({ revoked_at: at })
      .where('id', 'in', tokenOfSecret)
      .where('revoked_at', 'is', null)
      .execute();
  });
}

/** Which of an owner's tokens to revoke: by their uuids, each named once, or all that a filter keeps. */
export type Selection = { uuids: readonly string[] } | { filter: TokenFilter };

export interface Revoked {
  /** Tokens that were not revoked before. */
  count: number;
  /** Uuids that no token of the owner has. */
  notFound: number;
  /** The newest of them, at most 200, as they are afterwards. */
  tokens: AccessToken[];
}

const MOST_SHOWN = 200;

/**
 * Revokes the selected tokens of the owner but `exceptId`, in one transaction; with `dryRun` only tells which those are.
 * Rejects with what `requireValidCaller` rejects with, and with `insufficient_scope` where the owner is another than the caller,
 * and that no administrator any more.
 */
export async function revokeTokens(
  { db, now }: Deps,
  caller: Caller,
  ownerId: number,
  selection: Selection,
  { exceptId, dryRun }: { exceptId: number | null; dryRun: boolean },
): Promise<Revoked> {
  return await db.write(async (trx) => {
    const at = now();
    const holder = await requireValidCaller(trx, caller, at, [WRITE]);
    if (ownerId !== caller.ownerId) requireScopes(holder, [ADMINISTER]);
    const owned = trx.selectFrom('access_tokens as token').where('token.owner_id', '=', ownerId);
    const keys = 'uuids' in selection ? selection.uuids.map(toTokenKey) : [];
    const named = trx.selectFrom('access_tokens as token').where((eb) => isOneOf(eb, ownerId, keys));
    const selected = ('uuids' in selection ? named : owned.where((eb) => keeps(eb, selection.filter, at)))
      .where('token.revoked_at', 'is', null)
      .$if(exceptId !== null, (query) => query.where('token.id', '!=', exceptId));

    const shown = await selected
      .select('token.id')
      .orderBy('token.created_at', 'desc')
      .orderBy('token.id', 'desc')
      .limit(MOST_SHOWN)
      .execute();
    const { count } = await selected.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
    const known = keys.length === 0 ? [] : await named.select('token.id').execute();
    if (!dryRun) {
      await trx
        .updateTable('access_tokens')
        .set({ revoked_at: at })
        .where('id', 'in', selected.select('token.id'))
        .execute();
    }
    const ids = shown.map(({ id }) => id);
    const rows = await selectTokens(trx)
      .where('token.id', 'in', ids)
      .orderBy('token.created_at', 'desc')
      .orderBy('token.id', 'desc')
      .execute();
    return { count, notFound: keys.length - known.length, tokens: rows.map(toAccessToken) };
  });
}

/**
 * Revokes all tokens and sessions of the caller's owner but `exceptId`, and gives their number. One statement: what was
 * created before it does not survive, what is created after it does not die. Rejects with what `requireValidCaller` rejects with.
 */
export async function revokeAllTokens({ db, now }: Deps, caller: Caller, exceptId: number | null): Promise<number> {
  return await db.write(async (trx) => {
    const at = now();
    await requireValidCaller(trx, caller, at, [WRITE]);
    const { numUpdatedRows } = await trx
      .updateTable('access_tokens')
      .set({ revoked_at: at })
      .where('owner_id', '=', caller.ownerId)
      .where('revoked_at', 'is', null)
      .$if(exceptId !== null, (query) => query.where('id', '!=', exceptId))
      .executeTakeFirst();
    return Number(numUpdatedRows);
  });
}
