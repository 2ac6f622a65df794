import type { Selectable } from 'kysely';
import {
  type ActorKind,
  type EventAction,
  hexOf,
  type Queries,
  type RevocationReason,
  type TargetKind,
} from '../database/index.js';
import type { AuditEventTable } from '../database/schema.js';
import { toUuid } from '../uuid.js';
import type { EventChanges } from './changes.js';

/** An event of the audit log. */
export interface Event {
  /** The integer id, which orders events of the same instant. */
  id: number;
  uuid: string;
  /** The place in the organization's chain, counted from 1; null until the event is linked. */
  seq: number | null;
  /** Milliseconds since 1970. */
  at: number;
  action: EventAction;
  actor: {
    kind: ActorKind;
    userId: number | null;
    tokenUuid: string | null;
    /** The user's e-mail, as it was then. */
    label: string | null;
  };
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  ownerId: number | null;
  target: {
    kind: TargetKind /** Of a token or a webhook. */;
    uuid: string | null;
    label: string | null;
    prefix: string | null;
  } | null;
  reason: RevocationReason | null;
  changes: EventChanges;
  /** 64 hexadecimal digits; null until the event is linked. */
  hash: string | null;
}

/** The columns that an `Event` is made of, besides the ones that are bytes. */
const EVENT_COLUMNS = [
  'id',
  'seq',
  'at',
  'action',
  'actor_kind',
  'actor_id',
  'actor_label',
  'address',
  'user_agent',
  'request_id',
  'owner_id',
  'target_kind',
  'target_label',
  'target_prefix',
  'reason',
  'changes',
] as const;

export type ShownRow = Pick<Selectable<AuditEventTable>, (typeof EVENT_COLUMNS)[number]> & {
  uuid: string;
  actor_token: string | null;
  target_uuid: string | null;
  hash: string | null;
};

/** Selects the columns of an `Event`. The query calls the table `event`. */
export function selectEvents(queries: Queries) {
  return queries
    .selectFrom('audit_events as event')
    .select(EVENT_COLUMNS.map((column) => `event.${column}` as const))
    .select([
      hexOf('event.uuid').as('uuid'),
      hexOf('event.actor_token').as('actor_token'),
      hexOf('event.target_uuid').as('target_uuid'),
      hexOf('event.hash').as('hash'),
    ]);
}

export function toEvent(row: ShownRow): Event {
  return {
    id: row.id,
    uuid: toUuid(row.uuid),
    seq: row.seq,
    at: row.at,
    action: row.action,
    actor: {
      kind: row.actor_kind,
      userId: row.actor_id,
      tokenUuid: uuidOrNull(row.actor_token),
      label: row.actor_label,
    },
    address: row.address,
    userAgent: row.user_agent,
    requestId: row.request_id,
    ownerId: row.owner_id,
    target:
      row.target_kind === null
        ? null
        : {
            kind: row.target_kind,
            uuid: uuidOrNull(row.target_uuid),
            label: row.target_label,
            prefix: row.target_prefix,
          },
    reason: row.reason,
    changes: row.changes === null ? {} : (JSON.parse(row.changes) as EventChanges),
    hash: row.hash === '' ? null : row.hash,
  };
}

/** The hexadecimal digits of no bytes are an empty text on SQLite, and null on PostgreSQL. */
function uuidOrNull(digits: string | null): string | null {
  return digits === null || digits === '' ? null : toUuid(digits);
}
