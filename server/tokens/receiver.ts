import type { Queries, UserKind } from '../database/index.js';
import { ServiceError } from '../errors.js';
import type { OwnerKey } from './caller.js';
import { type Ceiling, isBelow, requireNone, toCeiling } from './ceiling.js';
import { ACT_AS, OF_ADMINISTRATORS, toScopes } from './scopes.js';

/** A user to whom tokens are given. */
export interface Receiver extends OwnerKey {
  kind: UserKind;
  isAdmin: boolean;
  isDisabled: boolean;
  /** The most scopes that its tokens can have; null for no limit. */
  ceiling: Ceiling;
}

type Organization = Pick<OwnerKey, 'organizationId'>;

/** Reads the user with this id, who must be enabled. Rejects with `owner_not_found` and `owner_disabled`. */
export async function getReceiver(queries: Queries, organization: Organization, id: number): Promise<Receiver> {
  const receiver = await readReceiver(queries, organization, id);
  if (receiver.isDisabled) {
    throw new ServiceError('owner_disabled', { detail: 'The owner is disabled. Enable the owner first.' });
  }
  return receiver;
}

/** Reads the user with this id. Rejects with `owner_not_found`. */
export async function readReceiver(
  queries: Queries,
  { organizationId }: Organization,
  ownerId: number,
): Promise<Receiver> {
  const row = await queries
    .selectFrom('users')
    .select(['kind', 'is_admin', 'disabled_at', 'scopes'])
    .where('id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('owner_not_found');
  const isDisabled = row.disabled_at !== null;
  const isAdmin = row.is_admin === 1;
  return { organizationId, ownerId, kind: row.kind, isAdmin, isDisabled, ceiling: toCeiling(row.scopes) };
}

/** Those of `scopes` that no token of the user may have. */
export function scopesAbove({ kind, isAdmin, ceiling }: Receiver, scopes: readonly string[]): string[] {
  return scopes.filter((scope) => {
    if (!isBelow(ceiling, scope)) return true;
    if (!OF_ADMINISTRATORS.includes(scope)) return false;
    return kind === 'person' ? !isAdmin : kind !== 'service' || scope !== ACT_AS;
  });
}

/** A set of scopes of which the receiver may have only a part. */
export interface Cut {
  setId: number;
  above: string[];
  kept: string[];
}

/** Those of the scope sets with these ids that have scopes which the receiver may not have. */
export async function cutsFor(queries: Queries, receiver: Receiver, setIds: ReadonlySet<number>): Promise<Cut[]> {
  if (setIds.size === 0) return [];
  const rows = await queries
    .selectFrom('scope_sets')
    .select(['id', 'scopes'])
    .where('id', 'in', [...setIds])
    .execute();
  return rows.flatMap(({ id, scopes: text }) => {
    const scopes = toScopes(text);
    const above = scopesAbove(receiver, scopes);
    return above.length === 0 ? [] : [{ setId: id, above, kept: scopes.filter((scope) => !above.includes(scope)) }];
  });
}

/** Throws `scopes_above_ceiling`, which names the scopes, if there is something to cut. */
export function requireNoCuts(cuts: readonly Cut[]): void {
  requireNone(cuts.flatMap(({ above }) => above));
}
