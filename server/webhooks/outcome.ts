import type { Selectable } from 'kysely';
import { type Database, type DisabledReason, type Queries, runPrepared } from '../database/index.js';
import type { Schema } from '../database/schema.js';
import { recordDisabled } from '../events/webhooks.js';
import { SYSTEM } from '../tokens/actor.js';
import type { Outcome } from './attempt.js';
import { delayAfter } from './schedule.js';
import { selectWebhooks, toWebhook } from './webhook.js';

const GONE = 410;

export type DueDelivery = Pick<
  Selectable<Schema['webhook_deliveries']>,
  'id' | 'webhook_id' | 'event_uuid' | 'uuid' | 'payload' | 'retries' | 'begun_at'
>;

/**
 * Writes what came of an attempt, and when the next one is due; for several deliveries of one webhook if none of them could be sent.
 * A webhook whose URL is gone is disabled, and so is one of which a delivery failed for the last time while no other one succeeded.
 */
export async function recordOutcome(
  db: Pick<Database, 'write'>,
  deliveries: readonly DueDelivery[],
  outcome: Outcome,
  at: number,
): Promise<void> {
  await db.write(async (trx) => {
    for (const delivery of deliveries) await recordOne(trx, delivery, outcome, at);
  });
}

async function recordOne(
  trx: Queries,
  delivery: DueDelivery,
  { error, status, retryAfter }: Outcome,
  at: number,
): Promise<void> {
  const isTaken = error === null;
  const failed = delivery.retries + 1;
  const delay = isTaken || status === GONE ? undefined : delayAfter(failed, retryAfter);
  // The row of the webhook is locked before that of the delivery, as everywhere.
  const [webhook] = await runPrepared(trx, isTaken ? succeed : fail, { id: delivery.webhook_id, at });
  if (webhook === undefined) return;
  const attempted = trx
    .updateTable('webhook_deliveries')
    .set(({ eb }) => ({
      attempts: eb('attempts', '+', 1),
      last_attempt_at: at,
      last_status: status,
      last_error: error,
    }))
    .where('id', '=', delivery.id);
  const { numUpdatedRows } = await attempted
    .set({
      status: isTaken ? 'delivered' : delay === undefined ? 'failed' : 'pending',
      due_at: delay === undefined ? null : at + delay,
      retries: isTaken ? delivery.retries : failed,
    })
    .where('begun_at', '=', delivery.begun_at)
    .executeTakeFirstOrThrow();
  // Somebody let it be sent again during the attempt, so it stays due.
  const isBegunAnew = numUpdatedRows === 0n;
  if (isBegunAnew) await attempted.execute();
  if (isTaken || delay !== undefined || webhook.disabled_at !== null) return;
  if (isBegunAnew && status !== GONE) return;
  const isFailing = webhook.last_success_at === null || webhook.last_success_at < delivery.begun_at;
  if (status === GONE) await disable(trx, delivery.webhook_id, 'gone', at);
  else if (isFailing) await disable(trx, delivery.webhook_id, 'failing', at);
}

async function disable(trx: Queries, id: number, reason: DisabledReason, at: number): Promise<void> {
  await trx.updateTable('webhooks').set({ disabled_at: at, disabled_reason: reason }).where('id', '=', id).execute();
  const row = await selectWebhooks(trx).where('id', '=', id).executeTakeFirstOrThrow();
  await recordDisabled(trx, SYSTEM, at, toWebhook(row, at), reason);
}

const succeed = (trx: Queries, { id, at }: { id: number; at: number }) =>
  trx
    .updateTable('webhooks')
    .set({ last_success_at: at })
    .where('id', '=', id)
    .returning(['disabled_at', 'last_success_at']);

const fail = (trx: Queries, { id, at }: { id: number; at: number }) =>
  trx
    .updateTable('webhooks')
    .set({ last_failure_at: at })
    .where('id', '=', id)
    .returning(['disabled_at', 'last_success_at']);
