import type { Queries, UserKind } from '../database/index.js';
import { ServiceError } from '../errors.js';
import type { OwnerKey } from './caller.js';
import { ACT_AS, OF_ADMINISTRATORS, toScopes } from './scopes.js';

/** A user to whom tokens are given. */
export interface Receiver extends OwnerKey {
  kind: UserKind;
  isAdmin: boolean;
  isDisabled: boolean;
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
    .select(['kind', 'is_admin', 'disabled_at'])
    .where('id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('owner_not_found');
  const isDisabled = row.disabled_at !== null;
  return { organizationId, ownerId, kind: row.kind, isAdmin: row.is_admin === 1, isDisabled };
}

/** Those of `scopes` that no token of the user may have. */
export function scopesAbove({ kind, isAdmin }: Receiver, scopes: readonly string[]): string[] {
  return scopes.filter((scope) => {
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
  const names = [...new Set(cuts.flatMap(({ above }) => above))].sort();
  if (names.length === 0) return;
  throw new ServiceError('scopes_above_ceiling', {
    detail: `The owner may not have these scopes: ${names.join(', ')}.`,
  });
}
