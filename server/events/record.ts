import {
  type EventAction,
  leaveToCommit,
  type Queries,
  type RevocationReason,
  sendPrepared,
  type TargetKind,
} from '../database/index.js';
import type { EventRow } from '../database/schema.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { newUuid, uuidBytes } from '../uuid.js';
import type { EventChanges } from './changes.js';
import { userLabel } from './label.js';

/** A token as an event names it: the name and the prefix stay readable whatever happens to the token. */
export interface TokenTarget {
  /** 32 hexadecimal digits, with or without hyphens. */
  uuid: string;
  name: string;
  prefix: string;
}

/** A webhook as an event names it, by the origin of its URL, because a longer part of it may be secret. */
export interface WebhookTarget {
  uuid: string;
  origin: string;
}

export interface NewEvent {
  action: EventAction;
  /** The user who was changed, or whose tokens were; without an `ownerId` if no user was. */
  owner: Pick<OwnerKey, 'organizationId'> & Partial<OwnerKey>;
  /** One token; several tokens of the owner (`tokens`); the owner, by a label; a webhook, by its uuid; or null. */
  target: TokenTarget | 'tokens' | { userLabel: string } | WebhookTarget | null;
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
    target_kind: kindOf(target),
    target_uuid: target !== null && typeof target === 'object' && 'uuid' in target ? uuidBytes(target.uuid) : null,
    target_label: labelOf(target),
    target_prefix: target !== null && typeof target === 'object' && 'prefix' in target ? target.prefix : null,
    reason: reason ?? null,
    changes: changes === undefined ? null : JSON.stringify(changes),
    hash: null,
  };
}

function kindOf(target: NewEvent['target']): TargetKind | null {
  if (target === null || target === 'tokens') return target;
  return 'userLabel' in target ? 'user' : 'prefix' in target ? 'token' : 'webhook';
}

function labelOf(target: NewEvent['target']): string | null {
  if (target === null || target === 'tokens') return null;
  return 'userLabel' in target ? target.userLabel : 'name' in target ? target.name : target.origin;
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
    actor_label: selectFrom('users').select(userLabel).where('id', '=', row.actor_id),
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
