import {
  type EventAction,
  leaveToCommit,
  type Queries,
  type RevocationReason,
  sendPrepared,
} from '../database/index.js';
import type { EventRow } from '../database/schema.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { newUuid, uuidBytes } from '../uuid.js';
import type { EventChanges } from './changes.js';

/** A token as an event names it: the name and the prefix stay readable whatever happens to the token. */
export interface TokenTarget {
  uuid: string;
  name: string;
  prefix: string;
}

export interface NewEvent {
  action: EventAction;
  /** The user who was changed, or whose tokens were; without an `ownerId` if no user was. */
  owner: Pick<OwnerKey, 'organizationId'> & Partial<OwnerKey>;
  /** One token; several tokens of the owner (`tokens`); the owner, by the e-mail; or null. */
  target: TokenTarget | 'tokens' | { email: string } | null;
  reason?: RevocationReason | undefined;
  changes?: EventChanges | undefined;
}

/**
 * Writes what `actor` changed at the instant `at`, in the transaction of the change: so there is no change without its event,
 * and no event without its change.
 */
export async function recordEvent(trx: Queries, actor: Actor, at: number, event: NewEvent): Promise<void> {
  const row = toRow(actor, at, event);
  if (!leaveToCommit(trx, row)) await sendPrepared(trx, newEvent, row);
}

/** The row of an event that is not linked. It has every column, so that V8 gives all rows one hidden class. */
function toRow({ kind, caller, recordedAddress, userAgent, requestId }: Actor, at: number, event: NewEvent): EventRow {
  const { action, owner, target, reason, changes } = event;
  const token = typeof target !== 'object' || target === null || 'email' in target ? null : target;
  return {
    id: 0,
    uuid: newUuid(at),
    organization_id: owner.organizationId,
    seq: null,
    at,
    action,
    actor_kind: kind,
    actor_id: caller?.ownerId ?? null,
    actor_token: caller === null ? null : uuidBytes(caller.tokenUuid),
    actor_label: null,
    address: recordedAddress,
    user_agent: userAgent,
    request_id: requestId,
    owner_id: owner.ownerId ?? null,
    target_kind: token !== null ? 'token' : target === 'tokens' ? 'tokens' : target === null ? null : 'user',
    target_uuid: token === null ? null : uuidBytes(token.uuid),
    target_label: labelOf(target),
    target_prefix: token === null ? null : token.prefix,
    reason: reason ?? null,
    changes: changes === undefined ? null : JSON.stringify(changes),
    hash: null,
  };
}

function labelOf(target: NewEvent['target']): string | null {
  if (target === null || target === 'tokens') return null;
  return 'email' in target ? target.email : target.name;
}

const newEvent = (trx: Queries, row: EventRow) =>
  trx.insertInto('audit_events').values(({ selectFrom }) => ({
    uuid: row.uuid,
    organization_id: row.organization_id,
    at: row.at,
    action: row.action,
    actor_kind: row.actor_kind,
    actor_id: row.actor_id,
    actor_token: row.actor_token,
    actor_label: selectFrom('users').select('email').where('id', '=', row.actor_id),
    address: row.address,
    user_agent: row.user_agent,
    request_id: row.request_id,
    owner_id: row.owner_id,
    target_kind: row.target_kind,
    target_uuid: row.target_uuid,
    target_label: row.target_label,
    target_prefix: row.target_prefix,
    reason: row.reason,
    changes: row.changes,
  }));
