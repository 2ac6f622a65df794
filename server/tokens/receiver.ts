import { type Queries, runPrepared, type UserKind } from '../database/index.js';
import { ServiceError } from '../errors.js';
import { isAllowedFor } from './administrators.js';
import type { OwnerKey } from './caller.js';
import { type Ceiling, isBelow, requireNone, toCeiling } from './ceiling.js';
import { OF_ADMINISTRATORS, toScopes } from './scopes.js';

/** A user from whom or to whom tokens move. */
export interface TransferParty extends OwnerKey {
  kind: UserKind;
  isAdmin: boolean;
  isDisabled: boolean;
  isDeleted: boolean;
  /** The most scopes that its tokens can have; null for no limit. */
  ceiling: Ceiling;
}

type Organization = Pick<OwnerKey, 'organizationId'>;

/** Reads the user with this id as the new owner, who must be enabled. Rejects with `owner_not_found` and `owner_disabled`. */
export async function getReceiver(queries: Queries, organization: Organization, id: number): Promise<TransferParty> {
  const receiver = await readParty(queries, organization, id);
  if (receiver.isDeleted) throw new ServiceError('owner_not_found');
  if (receiver.isDisabled) {
    throw new ServiceError('owner_disabled', { detail: 'The owner is disabled. Enable the owner first.' });
  }
  return receiver;
}

/** Reads the user with this id. Rejects with `owner_not_found`. */
export async function readParty(
  queries: Queries,
  { organizationId }: Organization,
  ownerId: number,
): Promise<TransferParty> {
  const [row] = await runPrepared(queries, party, { organizationId, ownerId });
  if (row === undefined) throw new ServiceError('owner_not_found');
  return {
    organizationId,
    ownerId,
    kind: row.kind,
    isAdmin: row.is_admin === 1,
    isDisabled: row.disabled_at !== null,
    isDeleted: row.deleted_at !== null,
    ceiling: toCeiling(row.scopes),
  };
}

const party = (queries: Queries, { organizationId, ownerId }: OwnerKey) =>
  queries
    .selectFrom('users')
    .select(['kind', 'is_admin', 'disabled_at', 'deleted_at', 'scopes'])
    .where('id', '=', ownerId)
    .where('organization_id', '=', organizationId);

/**
 * Those of `scopes` that a token may not have after it moved: those that no token of the new owner may have, and those of
 * administrators that gave the former owner nothing, because a move must not make them work.
 */
function scopesAbove(from: TransferParty, to: TransferParty, scopes: readonly string[]): string[] {
  return scopes.filter((scope) => {
    if (!isBelow(to.ceiling, scope) || !canHave(to, scope)) return true;
    return OF_ADMINISTRATORS.includes(scope) && !canHave(from, scope);
  });
}

function canHave({ kind, isAdmin }: TransferParty, scope: string): boolean {
  return kind === 'person' ? isAdmin || !OF_ADMINISTRATORS.includes(scope) : isAllowedFor(kind, scope);
}

/** A set of scopes of which the new owner may have only a part. */
export interface Cut {
  setId: number;
  above: string[];
  kept: string[];
}

/** Those of the scope sets with these ids that have scopes which no token may have after it moved. */
export async function cutsFor(
  queries: Queries,
  from: TransferParty,
  to: TransferParty,
  setIds: ReadonlySet<number>,
): Promise<Cut[]> {
  if (setIds.size === 0) return [];
  const rows = await queries
    .selectFrom('scope_sets')
    .select(['id', 'scopes'])
    .where('id', 'in', [...setIds])
    .execute();
  return rows.flatMap(({ id, scopes: text }) => {
    const scopes = toScopes(text);
    const above = scopesAbove(from, to, scopes);
    return above.length === 0 ? [] : [{ setId: id, above, kept: scopes.filter((scope) => !above.includes(scope)) }];
  });
}

/** Throws `scopes_above_ceiling`, which names the scopes, if there is something to cut. */
export function requireNoCuts(cuts: readonly Cut[]): void {
  requireNone(cuts.flatMap(({ above }) => above));
}
