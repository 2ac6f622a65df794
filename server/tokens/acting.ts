import {
  hasOneWriter,
  lockOwners,
  lockOwnersAnd,
  type Queries,
  runPrepared,
  type UserKind,
} from '../database/index.js';
import { insufficientScope, invalidInput, ServiceError } from '../errors.js';
import { heldNamedScopes } from './administrators.js';
import type { Caller, OwnerKey } from './caller.js';
import { type Ceiling, toCeiling } from './ceiling.js';
import { ACT_AS, ADMINISTER } from './scopes.js';

// This file decides for whom a caller acts: for its own owner, or for the owner that the request names.

/** The owner that a request names, by one of the two; by neither, the owner of the caller's token. */
export interface NamedOwner {
  owner?: number | undefined;
  externalOwner?: string | undefined;
}

/** What a caller does for an owner: `audit` reads events, `change` edits or rotates, and `transfer` gives tokens or takes them. */
export type Act = 'read' | 'revoke' | 'audit' | 'create' | 'change' | 'transfer';

/** What administrators may do for another person. Whoever creates or rotates a token could use it as that person. */
const FOR_PEOPLE: readonly Act[] = ['read', 'revoke', 'transfer'];

/** The owner for whom a caller acts. */
export interface ActingOwner extends OwnerKey {
  /** Null for the owner of the caller's token, whom the caller itself represents. */
  other: { kind: UserKind; disabledAt: number | null; ceiling: Ceiling } | null;
}

/** A caller with the scopes that it has at the moment. */
export interface ActingCaller extends Pick<Caller, keyof OwnerKey | 'tokenId' | 'tokenType'> {
  holds(scope: string): boolean;
}

/**
 * Returns the owner for whom the caller acts.
 *
 * Rejects with:
 * - `invalid_input` if the request names an owner twice.
 * - `insufficient_scope` if the caller may not act for the owner, or there is no such owner, and the caller does not hold
 *   `tokens:act-as`. A manager of a service acts for it without that scope.
 * - `owner_not_found` likewise, if the caller holds `tokens:act-as`. So no answer tells whether an owner exists for whom the
 *   caller may not act.
 */
export async function actingOwner(
  queries: Queries,
  caller: ActingCaller,
  named: NamedOwner,
  act: Act,
): Promise<ActingOwner> {
  const { organizationId, ownerId } = caller;
  const own = { organizationId, ownerId, other: null };
  if (!namesAnother(caller, named)) return own;
  if (named.owner !== undefined && named.externalOwner !== undefined) {
    throw invalidInput(['query', 'externalOwner'], 'value_error', 'Send either owner or externalOwner, not both');
  }
  const found = await findOwner(queries, caller, named);
  if (found?.id === ownerId) return own;
  const mayActAs = caller.holds(ACT_AS) && (await heldNamedScopes(queries, caller)).includes(ACT_AS);
  if (
    found !== undefined &&
    (mayActFor(caller, found.kind, act, mayActAs) ||
      (found.kind === 'service' && (await manages(queries, caller, found))))
  ) {
    const { id, kind, disabled_at: disabledAt, scopes } = found;
    return { organizationId, ownerId: id, other: { kind, disabledAt, ceiling: toCeiling(scopes) } };
  }
  throw mayActAs ? new ServiceError('owner_not_found') : lacksActAs(named);
}

/** Whether the caller may do `act` for another owner of this kind. `mayActAs`: whether the caller holds `tokens:act-as`. */
function mayActFor(caller: ActingCaller, kind: UserKind, act: Act, mayActAs: boolean): boolean {
  switch (kind) {
    case 'person':
      return FOR_PEOPLE.includes(act) && caller.holds(ADMINISTER);
    case 'external':
    case 'service':
      return mayActAs;
  }
}

/** Whether the caller's owner manages the service. A disabled manager manages nothing. */
async function manages(queries: Queries, { ownerId: userId }: ActingCaller, { id }: OwnerRow): Promise<boolean> {
  return (await runPrepared(queries, enabledManager, { serviceId: id, userId })).length > 0;
}

const enabledManager = (queries: Queries, { serviceId, userId }: { serviceId: number; userId: number }) =>
  queries
    .selectFrom('managers')
    .innerJoin('users as manager', 'manager.id', 'managers.user_id')
    .select('manager.id')
    .where('managers.service_id', '=', serviceId)
    .where('managers.user_id', '=', userId)
    .where('manager.disabled_at', 'is', null);

function lacksActAs({ externalOwner }: NamedOwner): ServiceError {
  if (externalOwner !== undefined) return insufficientScope(ACT_AS);
  return insufficientScope(ACT_AS, `The token lacks a scope: ${ACT_AS}, or ${ADMINISTER} for the tokens of a person.`);
}

/** Whether the request names an owner at all, unless by the id of the caller's own. */
export function namesAnother({ ownerId }: Pick<OwnerKey, 'ownerId'>, { owner, externalOwner }: NamedOwner): boolean {
  return externalOwner !== undefined || (owner !== undefined && owner !== ownerId);
}

/**
 * Locks the owner of the caller's token, the named owner, and the users with the ids `others` until `trx` ends, as
 * `lockOwners` does. Call it before `actingOwner` in a write.
 */
export async function lockNamed(
  trx: Queries,
  caller: OwnerKey,
  named: NamedOwner,
  ...others: readonly number[]
): Promise<void> {
  if (hasOneWriter(trx)) return;
  const { organizationId, ownerId } = caller;
  const { owner = ownerId, externalOwner } = named;
  if (externalOwner === undefined) {
    await lockOwners(trx, ownerId, owner, ...others);
    return;
  }
  const ids = [ownerId, ...others];
  const find = () => runPrepared(trx, idByExternalId, { organizationId, externalOwner });
  // While a lock is waited for, the owner can be deleted, and the same id put again. A new owner has the highest id of all.
  let [found] = await find();
  while (!(await lockOwnersAnd(trx, ids, found && { id: found.owner_id, externalOwner }))) {
    [found] = await find();
    if (found === undefined) return;
  }
}

/** Only for the lock: what is decided about the owner is read behind it. */
const idByExternalId = (
  queries: Queries,
  { organizationId, externalOwner }: { organizationId: number; externalOwner: string },
) =>
  queries
    .selectFrom('users')
    .select('id as owner_id')
    .where('organization_id', '=', organizationId)
    .where('external_id', '=', externalOwner);

/** Finds the named owner in the caller's organization; undefined if there is none. */
export async function findOwner(
  queries: Queries,
  { organizationId }: Pick<OwnerKey, 'organizationId'>,
  { owner, externalOwner }: NamedOwner,
): Promise<OwnerRow | undefined> {
  const [row] =
    externalOwner === undefined
      ? await runPrepared(queries, ownerById, { organizationId, id: owner ?? 0 })
      : await runPrepared(queries, ownerByExternalId, { organizationId, externalOwner });
  return row;
}

interface OwnerRow {
  id: number;
  kind: UserKind;
  disabled_at: number | null;
  scopes: string | null;
}

const ownerById = (queries: Queries, { organizationId, id }: { organizationId: number; id: number }) =>
  queries
    .selectFrom('users')
    .select(['id', 'kind', 'disabled_at', 'scopes'])
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('deleted_at', 'is', null);

const ownerByExternalId = (
  queries: Queries,
  { organizationId, externalOwner }: { organizationId: number; externalOwner: string },
) =>
  queries
    .selectFrom('users')
    .select(['id', 'kind', 'disabled_at', 'scopes'])
    .where('organization_id', '=', organizationId)
    .where('external_id', '=', externalOwner);
