import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { type Database, type EventAction, type Queries, runPrepared } from '../database/index.js';
import type { AuditEventTable, Schema } from '../database/schema.js';
import type { Deps } from '../deps.js';
import type { OwnerKey } from '../tokens/caller.js';
import { type Position, toCursor } from '../tokens/cursor.js';
import { getToken } from '../tokens/find.js';
import { positionOf } from '../tokens/list.js';
import type { AccessToken } from '../tokens/token.js';
import { uuidBytes } from '../uuid.js';
import { type Event, selectEvents, toEvent } from './event.js';

/** Conditions that an event must all meet. Instants are milliseconds since 1970 and exclusive. */
export interface EventFilter {
  action?: EventAction | undefined;
  /** The id of the user who acted. */
  actor?: number | undefined;
  /** The id of the user who was changed, or whose tokens were. */
  owner?: number | undefined;
  /** The uuid of the token that was changed. */
  token?: string | undefined;
  requestId?: string | undefined;
  after?: number | undefined;
  before?: number | undefined;
}

export interface EventPageWish {
  limit: number;
  cursor: string | undefined;
}

export interface EventPage {
  events: Event[];
  nextCursor: string | null;
}

/**
 * The most events that one request examines, so that a filter that keeps few of them takes no request long. A page may then have
 * fewer events than `limit`, or none, and still a `nextCursor`.
 */
const MOST_EXAMINED = 10_000;

type Events = ExpressionBuilder<Schema & { event: AuditEventTable }, 'event'>;

/** Returns the page of the organization's events, newest first, that follows `cursor`. Rejects with `invalid_input` for a bad cursor. */
export async function listEvents(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  { organizationId }: Pick<OwnerKey, 'organizationId'>,
  filter: EventFilter,
  { limit, cursor }: EventPageWish,
): Promise<EventPage> {
  const belongsTo = JSON.stringify(['events', organizationId, Object.entries(filter).sort()]);
  const from = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const asOf = from?.asOf ?? now();
  const examined = examinedFrom(db.read, organizationId, filter, from);
  const rows = await selectEvents(db.read)
    .where('event.id', 'in', (query) => query.selectFrom(examined.as('examined')).select('examined.id'))
    .where((eb) => keeps(eb, filter))
    .orderBy('event.at', 'desc')
    .orderBy('event.id', 'desc')
    .limit(limit + 1)
    .execute();
  const last = rows.length > limit ? rows[limit - 1] : await examined.offset(MOST_EXAMINED - 1).executeTakeFirst();
  return {
    events: rows.slice(0, limit).map(toEvent),
    nextCursor: last === undefined ? null : toCursor({ key: last.at, id: last.id, asOf }, belongsTo),
  };
}

/** The newest events of the organization behind `from`, as many as one request examines. */
function examinedFrom(
  read: Queries,
  organizationId: number,
  { after, before }: EventFilter,
  from: Pick<Position, 'key' | 'id'> | undefined,
) {
  return read
    .selectFrom('audit_events as event')
    .select(['event.id', 'event.at'])
    .where('event.organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('event.at', '>', after ?? 0))
    .$if(before !== undefined, (query) => query.where('event.at', '<', before ?? 0))
    .$if(from !== undefined, (query) =>
      query
        .where('event.at', '<=', Number(from?.key))
        .where(({ eb, refTuple, tuple }) =>
          eb(refTuple('event.at', 'event.id'), '<', tuple(Number(from?.key), from?.id ?? 0)),
        ),
    )
    .orderBy('event.at', 'desc')
    .orderBy('event.id', 'desc')
    .limit(MOST_EXAMINED);
}

function keeps(eb: Events, { action, actor, owner, token, requestId }: EventFilter): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = [];
  if (action !== undefined) conditions.push(eb('event.action', '=', action));
  if (actor !== undefined) conditions.push(eb('event.actor_id', '=', actor));
  if (owner !== undefined) conditions.push(eb('event.owner_id', '=', owner));
  if (token !== undefined) conditions.push(eb('event.target_uuid', '=', uuidBytes(token)));
  if (requestId !== undefined) conditions.push(eb('event.request_id', '=', requestId));
  return eb.and(conditions);
}

/**
 * Returns a page of the events that changed the owner's token, newest first; also the one that revoked it together with others.
 * Rejects with `not_found`, also for another owner's token, and with `invalid_input` for a bad cursor.
 */
export async function listTokenEvents(
  deps: Deps,
  owner: OwnerKey,
  uuid: string,
  { limit, cursor }: EventPageWish,
): Promise<EventPage> {
  const token = await getToken(deps, owner, uuid);
  const belongsTo = JSON.stringify(['events of', owner.ownerId, token.uuid]);
  const from = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const rows = await selectEvents(deps.db.read)
    .where('event.id', 'in', eventsOf(deps.db.read, owner, token))
    .$if(from !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('event.at', 'event.id'), '<', tuple(Number(from?.key), from?.id ?? 0)),
      ),
    )
    .orderBy('event.at', 'desc')
    .orderBy('event.id', 'desc')
    .limit(limit + 1)
    .execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const asOf = from?.asOf ?? deps.now();
  return {
    events: rows.slice(0, limit).map(toEvent),
    nextCursor: last === undefined ? null : toCursor({ key: last.at, id: last.id, asOf }, belongsTo),
  };
}

/** Written into the query, because SQLite uses the index of such events only then. */
const SEVERAL = sql.lit('tokens' as const);

/**
 * Selects the ids of the token's events: those of the token alone, the one that revoked it together with others, and those of
 * its creator, who was the owner then, that gave it away together with others. Each part has its index.
 */
function eventsOf(read: Queries, { organizationId, ownerId }: OwnerKey, { id, uuid, revokedAt }: AccessToken) {
  const events = read.selectFrom('audit_events').select('id').where('organization_id', '=', organizationId);
  const creator = read.selectFrom('access_tokens').select('created_by').where('id', '=', id);
  return events
    .where('target_uuid', '=', uuidBytes(uuid))
    .unionAll(events.where('owner_id', '=', ownerId).where('target_kind', '=', SEVERAL).where('at', '=', revokedAt))
    .unionAll(
      events
        .where('owner_id', '=', creator)
        .where('target_kind', '=', SEVERAL)
        .where('action', '=', 'token.transferred')
        .where('changes', 'like', `%"${uuid}"%`),
    );
}

/** What reads events: a part of `Deps`. */
interface Reading {
  db: Pick<Database, 'read'>;
}

/** Returns the organization's linked events that follow the event `after` in the chain, in the order of the chain. */
export async function exportEvents(
  { db }: Reading,
  { organizationId }: Pick<OwnerKey, 'organizationId'>,
  { after, limit }: { after: number; limit: number },
): Promise<Event[]> {
  const rows = await runPrepared(db.read, eventsAfter, { organizationId, after, limit });
  return rows.map(toEvent);
}

const eventsAfter = (
  read: Queries,
  { organizationId, after, limit }: { organizationId: number; after: number; limit: number },
) =>
  selectEvents(read)
    .where('event.organization_id', '=', organizationId)
    .where('event.seq', '>', after)
    .orderBy('event.seq')
    .limit(limit);

/** Returns the linked events about the owner or the owner's tokens that follow the event `after`, up to the place `to`. */
export async function ownerEvents(
  { db }: Reading,
  { organizationId, ownerId }: OwnerKey,
  { after, to }: { after: number; to: number },
): Promise<Event[]> {
  const rows = await runPrepared(db.read, ownerEventsBetween, { organizationId, ownerId, after, to });
  return rows.map(toEvent);
}

const ownerEventsBetween = (
  read: Queries,
  { organizationId, ownerId, after, to }: OwnerKey & { after: number; to: number },
) =>
  selectEvents(read)
    .where('event.organization_id', '=', organizationId)
    .where('event.seq', '>', after)
    .where('event.seq', '<=', to)
    .where('event.owner_id', '=', ownerId)
    .orderBy('event.seq');
