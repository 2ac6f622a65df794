import { type EventAction, lockOrganization, lockOwners, type Queries } from '../database/index.js';
import type { Deps, Sealer } from '../deps.js';
import { ServiceError, unavailable } from '../errors.js';
import { recordNewSecret, recordNewWebhook, recordWebhook, recordWebhookEdit } from '../events/webhooks.js';
import type { AuthenticatedActor } from '../tokens/actor.js';
import { requireAdministrator } from '../tokens/administrators.js';
import type { Caller, OwnerKey } from '../tokens/caller.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { toCursor } from '../tokens/cursor.js';
import { positionOf } from '../tokens/list.js';
import { WEBHOOKS } from '../tokens/scopes.js';
import { newUuid, toUuid, uuidBytes } from '../uuid.js';
import { newSecret } from './secret.js';
import { selectWebhooks, toWebhook, type Webhook } from './webhook.js';

// The operations of the API with which administrators manage webhooks.

/** The most webhooks of an organization; each event may become a delivery to each of them. */
const MOST_WEBHOOKS = 50;

type Organization = Pick<OwnerKey, 'organizationId'>;

/** Returns the page of webhooks, ordered by id, that follows `cursor`. Rejects with `invalid_input` for a bad cursor. */
export async function listWebhooks(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  { organizationId }: Organization,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<{ webhooks: Webhook[]; nextCursor: string | null }> {
  const belongsTo = JSON.stringify(['webhooks', organizationId]);
  const after = cursor === undefined ? undefined : positionOf(cursor, belongsTo);
  const at = now();
  const rows = await selectWebhooks(db.read)
    .where('organization_id', '=', organizationId)
    .where('id', '>', after?.id ?? 0)
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const webhooks = rows.slice(0, limit).map((row) => toWebhook(row, at));
  const last = rows.length > limit ? webhooks.at(-1) : undefined;
  return { webhooks, nextCursor: last ? toCursor({ key: last.id, id: last.id, asOf: at }, belongsTo) : null };
}

/** Returns the organization's webhook. Rejects with `not_found`. */
export async function findWebhook(
  queries: Queries,
  { organizationId }: Organization,
  uuid: string,
  at: number,
): Promise<Webhook> {
  const row = await selectWebhooks(queries)
    .where('uuid', '=', uuidBytes(uuid))
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found', { detail: 'No such webhook.' });
  return toWebhook(row, at);
}

export interface NewWebhook {
  url: string;
  description: string;
  eventTypes: readonly EventAction[] | null;
}

/**
 * Creates a webhook, which gets the events that are linked from now on, and returns its secret, which nobody can read again.
 * Rejects with `webhook_limit_reached`, with `secret_key_missing` and with `url_not_allowed`.
 */
export async function createWebhook(
  deps: Deps,
  actor: AuthenticatedActor,
  { url, description, eventTypes }: NewWebhook,
): Promise<{ webhook: Webhook; secret: string }> {
  const { organizationId } = actor.caller;
  await deps.webhooks.checkUrl(url);
  const secret = newSecret();
  const sealer = await deps.keyring.sealer();
  const webhook = await deps.db.write(async (trx) => {
    const at = await beginChange(deps, trx, actor.caller, sealer);
    const others = await trx
      .selectFrom('webhooks')
      .select('id')
      .where('organization_id', '=', organizationId)
      .execute();
    if (others.length >= MOST_WEBHOOKS) throw new ServiceError('webhook_limit_reached');
    const uuid = newUuid(at);
    await trx
      .insertInto('webhooks')
      .values({
        uuid,
        organization_id: organizationId,
        url,
        description: description === '' ? null : description,
        event_types: eventTypes === null ? null : eventTypes.join(' '),
        secret: sealer.seal(secret, uuid),
        created_at: at,
        ...(await endOf(trx, organizationId)),
      })
      .execute();
    const created = await findWebhook(trx, actor.caller, toUuid(Buffer.from(uuid).toString('hex')), at);
    await recordNewWebhook(trx, actor, at, created);
    return created;
  });
  deps.webhooks.added();
  return { webhook, secret };
}

/** The members to change; undefined ones stay as they are. */
export interface WebhookEdit {
  url?: string | undefined;
  description?: string | undefined;
  eventTypes?: readonly EventAction[] | null | undefined;
  enabled?: boolean | undefined;
}

/** Edits the webhook. Rejects with `not_found` and with `url_not_allowed`. */
export async function editWebhook(
  deps: Deps,
  actor: AuthenticatedActor,
  uuid: string,
  { url, description, eventTypes, enabled }: WebhookEdit,
): Promise<Webhook> {
  if (url !== undefined) await deps.webhooks.checkUrl(url);
  const edited = await deps.db.write(async (trx) => {
    const at = await beginChange(deps, trx, actor.caller);
    const webhook = await findWebhook(trx, actor.caller, uuid, at);
    const wasEnabled = webhook.disabledAt === null;
    await trx
      .updateTable('webhooks')
      .set({
        url: url ?? webhook.url,
        ...(description !== undefined && { description: description === '' ? null : description }),
        ...(eventTypes !== undefined && { event_types: eventTypes === null ? null : eventTypes.join(' ') }),
        // A webhook that is already disabled keeps its instant and its reason.
        ...(enabled === false && wasEnabled && { disabled_at: at, disabled_reason: 'manual' }),
        ...(enabled === true &&
          !wasEnabled && {
            disabled_at: null,
            disabled_reason: null,
            ...(await endOf(trx, webhook.organizationId)),
          }),
      })
      .where('id', '=', webhook.id)
      .execute();
    const after = await findWebhook(trx, actor.caller, uuid, at);
    await recordWebhookEdit(trx, actor, at, webhook, after);
    return after;
  });
  deps.webhooks.added(edited.id);
  return edited;
}

/** Deletes the webhook with its deliveries. Rejects with `not_found`. */
export async function deleteWebhook(deps: Deps, actor: AuthenticatedActor, uuid: string): Promise<void> {
  await deps.db.write(async (trx) => {
    const at = await beginChange(deps, trx, actor.caller);
    const webhook = await findWebhook(trx, actor.caller, uuid, at);
    // The row of the webhook is locked first, as everywhere, so that nothing makes a delivery meanwhile.
    await trx.updateTable('webhooks').set({ disabled_at: at }).where('id', '=', webhook.id).execute();
    await trx.deleteFrom('webhook_deliveries').where('webhook_id', '=', webhook.id).execute();
    await trx.deleteFrom('webhooks').where('id', '=', webhook.id).execute();
    await recordWebhook(trx, actor, at, 'webhook.deleted', webhook);
  });
}

/** Gives the webhook a new secret and returns it. The former one signs too until the grace period ends. */
export async function rotateSecret(
  deps: Deps,
  actor: AuthenticatedActor,
  uuid: string,
  gracePeriodSeconds: number,
): Promise<{ webhook: Webhook; secret: string }> {
  const secret = newSecret();
  const sealer = await deps.keyring.sealer();
  const webhook = await deps.db.write(async (trx) => {
    const at = await beginChange(deps, trx, actor.caller, sealer);
    const { id, uuid: own } = await findWebhook(trx, actor.caller, uuid, at);
    const isKept = gracePeriodSeconds > 0;
    await trx
      .updateTable('webhooks')
      .set(({ ref }) => ({
        secret: sealer.seal(secret, uuidBytes(own)),
        previous_secret: isKept ? ref('secret') : null,
        previous_valid_until: isKept ? at + gracePeriodSeconds * 1_000 : null,
      }))
      .where('id', '=', id)
      .execute();
    const rotated = await findWebhook(trx, actor.caller, uuid, at);
    await recordNewSecret(trx, actor, at, rotated);
    return rotated;
  });
  return { webhook, secret };
}

/** Begins a change of webhooks: locks what it depends on, and checks the caller. Returns the instant of the change. */
export async function beginChange(
  { now }: Pick<Deps, 'now'>,
  trx: Queries,
  caller: Caller,
  sealer?: Sealer,
): Promise<number> {
  await lockOrganization(trx, caller.organizationId);
  await lockOwners(trx, caller.ownerId);
  if (sealer !== undefined && !(await sealer.lock(trx))) throw unavailable('The key of secrets was replaced just now.');
  const at = now();
  await requireValidCaller(trx, caller, at, [WEBHOOKS]);
  await requireAdministrator(trx, caller, [WEBHOOKS]);
  return at;
}

/** The last event, and the last one that is linked. */
async function endOf(trx: Queries, organizationId: number): Promise<{ after_id: number; after_seq: number }> {
  const last = await trx.selectFrom('audit_events').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  const head = await trx
    .selectFrom('audit_heads')
    .select('seq')
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  return { after_id: last?.id ?? 0, after_seq: head?.seq ?? 0 };
}
