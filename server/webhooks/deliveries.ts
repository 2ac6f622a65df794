import type { Selectable } from 'kysely';
import {
  type DeliveryError,
  type DeliveryStatus,
  hexOf,
  type Queries,
  sendPrepared,
  withoutLocked,
} from '../database/index.js';
import type { Schema } from '../database/schema.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import type { AuthenticatedActor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import { toCursor } from '../tokens/cursor.js';
import { positionOf } from '../tokens/list.js';
import { newUuid, toUuid, uuidBytes } from '../uuid.js';
import { newDelivery } from './fan-out.js';
import { beginChange, findWebhook } from './manage.js';
import { testPayload } from './payload.js';
import type { Webhook } from './webhook.js';

/** Milliseconds for which deliveries are kept: 30 days. The last attempt is made within four. */
export const KEPT_FOR = 30 * 24 * 60 * 60_000;
/** The most deliveries that one request sends again. */
const MOST_REDELIVERED = 10_000;

export interface Delivery {
  id: number;
  uuid: string;
  /** Null for a test. */
  eventUuid: string | null;
  eventType: string;
  status: DeliveryStatus;
  attempts: number;
  createdAt: number;
  lastAttemptAt: number | null;
  lastStatus: number | null;
  lastError: DeliveryError | null;
  dueAt: number | null;
}

const COLUMNS = [
  'id',
  'event_type',
  'status',
  'attempts',
  'created_at',
  'last_attempt_at',
  'last_status',
  'last_error',
  'due_at',
] as const;

function selectDeliveries(queries: Queries) {
  return queries
    .selectFrom('webhook_deliveries')
    .select(COLUMNS)
    .select([hexOf('uuid').as('uuid'), hexOf('event_uuid').as('event_uuid')]);
}

type Row = Pick<Selectable<Schema['webhook_deliveries']>, (typeof COLUMNS)[number]> & {
  uuid: string;
  event_uuid: string | null;
};

function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    uuid: toUuid(row.uuid),
    // The hexadecimal digits of no bytes are an empty text on SQLite, and null on PostgreSQL.
    eventUuid: row.event_uuid === null || row.event_uuid === '' ? null : toUuid(row.event_uuid),
    eventType: row.event_type,
    status: row.status,
    attempts: row.attempts,
    createdAt: row.created_at,
    lastAttemptAt: row.last_attempt_at,
    lastStatus: row.last_status,
    lastError: row.last_error,
    dueAt: row.due_at,
  };
}

/** Returns the page of the webhook's deliveries, newest first, that follows `cursor`. Rejects with `not_found` and `invalid_input`. */
export async function listDeliveries(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  organization: Pick<OwnerKey, 'organizationId'>,
  uuid: string,
  { status, limit, cursor }: { status: DeliveryStatus | undefined; limit: number; cursor: string | undefined },
): Promise<{ deliveries: Delivery[]; nextCursor: string | null }> {
  const at = now();
  const webhook = await findWebhook(db.read, organization, uuid, at);
  const belongsTo = JSON.stringify(['deliveries', webhook.id, status]);
  const after = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const rows = await selectDeliveries(db.read)
    .where('webhook_id', '=', webhook.id)
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'pending'))
    .$if(after !== undefined, (query) => query.where('id', '<', after?.id ?? 0))
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const deliveries = rows.slice(0, limit).map(toDelivery);
  const last = rows.length > limit ? deliveries.at(-1) : undefined;
  return { deliveries, nextCursor: last ? toCursor({ key: last.id, id: last.id, asOf: at }, belongsTo) : null };
}

/** Makes a delivery that tests the webhook. Rejects with `not_found` and `webhook_disabled`. */
export async function testWebhook(deps: Deps, actor: AuthenticatedActor, uuid: string): Promise<Delivery> {
  const delivery = await deps.db.write(async (trx) => {
    const { webhook, at } = await beginSending(deps, trx, actor, uuid);
    const own = newUuid(at);
    const text = toUuid(Buffer.from(own).toString('hex'));
    const payload = testPayload(text, webhook.uuid, actor.caller.ownerId, at);
    const row = { uuid: own, webhookId: webhook.id, eventUuid: null, seq: null, type: 'webhook.test', payload, at };
    await sendPrepared(trx, newDelivery, row);
    return await findDelivery(trx, webhook, text);
  });
  deps.webhooks.added();
  return delivery;
}

/** Sends a delivery again, whatever came of it. Rejects with `not_found` and `webhook_disabled`. */
export async function redeliver(
  deps: Deps,
  actor: AuthenticatedActor,
  webhookUuid: string,
  uuid: string,
): Promise<Delivery> {
  const delivery = await deps.db.write(async (trx) => {
    const { webhook, at } = await beginSending(deps, trx, actor, webhookUuid);
    const { id } = await findDelivery(trx, webhook, uuid);
    await beginAnew(trx, at).where('id', '=', id).execute();
    return await findDelivery(trx, webhook, uuid);
  });
  deps.webhooks.added();
  return delivery;
}

/** Sends again what failed and was made since an instant, and returns how many. Rejects with `not_found` and `webhook_disabled`. */
export async function redeliverFailed(
  deps: Deps,
  actor: AuthenticatedActor,
  uuid: string,
  since: number,
): Promise<number> {
  const count = await deps.db.write(async (trx) => {
    const { webhook, at } = await beginSending(deps, trx, actor, uuid);
    const { numUpdatedRows } = await beginAnew(trx, at)
      .where('id', 'in', (query) =>
        query
          .selectFrom('webhook_deliveries')
          .select('id')
          .where('webhook_id', '=', webhook.id)
          .where('status', '=', 'failed')
          .where('created_at', '>=', since)
          .orderBy('id')
          .limit(MOST_REDELIVERED),
      )
      .executeTakeFirstOrThrow();
    return Number(numUpdatedRows);
  });
  deps.webhooks.added();
  return count;
}

/** Begins a change of deliveries, with the webhook's row locked. */
async function beginSending(
  deps: Pick<Deps, 'now'>,
  trx: Queries,
  actor: AuthenticatedActor,
  uuid: string,
): Promise<{ webhook: Webhook; at: number }> {
  const at = await beginChange(deps, trx, actor.caller);
  const webhook = await findWebhook(trx, actor.caller, uuid, at);
  if (webhook.disabledAt !== null) throw new ServiceError('webhook_disabled');
  // The row of the webhook is locked before those of its deliveries, as everywhere.
  await trx
    .updateTable('webhooks')
    .set(({ ref }) => ({ claimed_until: ref('claimed_until') }))
    .where('id', '=', webhook.id)
    .execute();
  return { webhook, at };
}

async function findDelivery(queries: Queries, { id }: Webhook, uuid: string): Promise<Delivery> {
  const row = await selectDeliveries(queries)
    .where('uuid', '=', uuidBytes(uuid))
    .where('webhook_id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found', { detail: 'No such delivery.' });
  return toDelivery(row);
}

function beginAnew(trx: Queries, at: number) {
  return trx.updateTable('webhook_deliveries').set(({ eb, ref }) => ({
    status: 'pending',
    // Later than before in any case: an attempt under way sees by it that it was not the last one.
    begun_at: eb
      .case()
      .when('begun_at', '>=', at)
      .then(eb(ref('begun_at'), '+', 1))
      .else(at)
      .end(),
    due_at: at,
    retries: 0,
  }));
}

/** Deletes at most `most` deliveries that were made before the instant `at`, and returns their ids. */
export const deleteOldDeliveries = (trx: Queries, { at, most }: { at: number; most: number }) =>
  trx
    .deleteFrom('webhook_deliveries')
    .where('id', 'in', (query) =>
      withoutLocked(
        trx,
        query
          .selectFrom('webhook_deliveries')
          .select('id')
          .where('created_at', '<=', at)
          .orderBy('created_at')
          .limit(most),
      ),
    )
    .returning('id');
