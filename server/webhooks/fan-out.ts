import { type Database, type Queries, runPrepared, sendPrepared, withoutLocked } from '../database/index.js';
import { type Event, selectEvents, toEvent } from '../events/event.js';
import type { OwnerKey } from '../tokens/caller.js';
import { isOneOf, type TokenKey, toTokenKey } from '../tokens/find.js';
import { newUuid, uuidBytes } from '../uuid.js';
import { payloadOf } from './payload.js';
import { toEventTypes } from './webhook.js';

// Each webhook has a cursor in the chain of events. This step makes deliveries of the events behind it and moves it, in one
// transaction: so each event becomes one delivery, whichever process does it and whenever one is killed. A change does not pay for it.

/** Events in one transaction; few, so that requests do not wait long for it. */
const BATCH = 100;

/** Makes deliveries of the linked events for all enabled webhooks. */
export async function fanOut(db: Database, now: () => number, isClosed: () => boolean): Promise<void> {
  const behind = await runPrepared(db.read, webhooksBehind, {});
  // At the same time, so that SQLite commits them together.
  await Promise.all(
    behind.map(async ({ id }) => {
      let examined = BATCH;
      while (examined === BATCH && !isClosed()) examined = await db.write((trx) => fanOutBatch(trx, id, now()));
    }),
  );
}

/** Examines a batch of events for a webhook and returns its size; 0 also if another process does so just now. */
async function fanOutBatch(trx: Queries, id: number, at: number): Promise<number> {
  const [webhook] = await withoutLocked(trx, cursorOf(trx, { id })).execute();
  if (webhook === undefined) return 0;
  const { uuid, organization_id: organizationId, after_seq: after } = webhook;
  const types = toEventTypes(webhook.event_types);
  const rows = await runPrepared(trx, linkedAfter, { organizationId, after, limit: BATCH });
  for (const row of rows) {
    const event = toEvent(row);
    const isOwn =
      event.target?.kind === 'webhook' && uuidBytes(event.target.uuid ?? '').every((byte, i) => byte === uuid[i]);
    // A webhook gets no event about itself, so that it is never told of its own end.
    const isEarlier = event.id <= webhook.after_id;
    if (isOwn || isEarlier || types?.includes(event.action) === false) continue;
    await sendPrepared(trx, newDelivery, {
      uuid: newUuid(at),
      webhookId: id,
      eventUuid: uuidBytes(event.uuid),
      seq: row.seq,
      type: event.action,
      payload: payloadOf(event, await expiryOf(trx, organizationId, event)),
      at,
    });
  }
  const last = rows.at(-1)?.seq;
  if (last != null) await sendPrepared(trx, moveCursor, { id, seq: last });
  return rows.length;
}

/** When the token of an event expires now. */
async function expiryOf(trx: Queries, organizationId: number, { target, ownerId }: Event): Promise<number | null> {
  if (target?.kind !== 'token' || target.uuid === null || ownerId === null) return null;
  const [token] = await runPrepared(trx, expiryByUuid, { ...toTokenKey(target.uuid), organizationId, ownerId });
  return token?.expires_at ?? null;
}

/** Enabled webhooks whose cursor is not at the end of the chain. */
const webhooksBehind = (read: Queries) =>
  read
    .selectFrom('webhooks')
    .innerJoin('audit_heads as head', 'head.organization_id', 'webhooks.organization_id')
    .select('webhooks.id')
    .where('webhooks.disabled_at', 'is', null)
    .whereRef('webhooks.after_seq', '<', 'head.seq');

const cursorOf = (trx: Queries, { id }: { id: number }) =>
  trx
    .selectFrom('webhooks')
    .select(['uuid', 'organization_id', 'event_types', 'after_id', 'after_seq'])
    .where('id', '=', id)
    .where('disabled_at', 'is', null);

const linkedAfter = (
  trx: Queries,
  { organizationId, after, limit }: { organizationId: number; after: number; limit: number },
) =>
  selectEvents(trx)
    .where('event.organization_id', '=', organizationId)
    .where('event.seq', '>', after)
    .orderBy('event.seq')
    .limit(limit);

const expiryByUuid = (trx: Queries, { uuid, createdAt, organizationId, ownerId }: TokenKey & OwnerKey) =>
  trx
    .selectFrom('access_tokens as token')
    .select('token.expires_at')
    .where((eb) => isOneOf(eb, { organizationId, ownerId }, [{ uuid, createdAt }]));

export interface NewDelivery {
  uuid: Uint8Array;
  webhookId: number;
  eventUuid: Uint8Array | null;
  seq: number | null;
  type: string;
  payload: string;
  at: number;
}

export const newDelivery = (trx: Queries, { uuid, webhookId, eventUuid, seq, type, payload, at }: NewDelivery) =>
  trx.insertInto('webhook_deliveries').values({
    uuid,
    webhook_id: webhookId,
    event_uuid: eventUuid,
    seq,
    event_type: type,
    payload,
    status: 'pending',
    created_at: at,
    begun_at: at,
    due_at: at,
    attempts: 0,
    retries: 0,
  });

const moveCursor = (trx: Queries, { id, seq }: { id: number; seq: number }) =>
  trx.updateTable('webhooks').set({ after_seq: seq }).where('id', '=', id);
