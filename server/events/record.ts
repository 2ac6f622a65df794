import type { Insertable } from 'kysely';
import { type EventAction, type Queries, type RevocationReason, sendPrepared } from '../database/index.js';
import type { AuditEventTable } from '../database/schema.js';
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
  const { action, owner, target, reason, changes } = event;
  const { caller } = actor;
  await sendPrepared(trx, newEvent, {
    uuid: newUuid(at),
    organization_id: owner.organizationId,
    at,
    action,
    actor_kind: actor.kind,
    actor_id: caller?.ownerId ?? null,
    actor_token: caller === null ? null : uuidBytes(caller.tokenUuid),
    address: actor.recordedAddress,
    user_agent: actor.userAgent,
    request_id: actor.requestId,
    owner_id: owner.ownerId ?? null,
    ...columnsOf(target),
    reason: reason ?? null,
    changes: changes === undefined ? null : JSON.stringify(changes),
  });
}

type TargetColumns = Pick<AuditEventTable, 'target_kind' | 'target_uuid' | 'target_label' | 'target_prefix'>;

function columnsOf(target: NewEvent['target']): TargetColumns {
  const none = { target_kind: null, target_uuid: null, target_label: null, target_prefix: null };
  if (target === null) return none;
  if (target === 'tokens') return { ...none, target_kind: 'tokens' };
  if ('email' in target) return { ...none, target_kind: 'user', target_label: target.email };
  const { uuid, name, prefix } = target;
  return { target_kind: 'token', target_uuid: uuidBytes(uuid), target_label: name, target_prefix: prefix };
}

type NewRow = Omit<Insertable<AuditEventTable>, 'id' | 'seq' | 'hash' | 'actor_label'> & { actor_id: number | null };

const newEvent = (trx: Queries, row: NewRow) =>
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
