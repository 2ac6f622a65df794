import type { WebhookDelivery as WireDelivery, Webhook as WireWebhook } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { parseDateTime } from '../contract/formats.js';
import { toInstant, toInstantOrNull } from '../instants.js';
import { type Delivery, listDeliveries, redeliver, redeliverFailed, testWebhook } from '../webhooks/deliveries.js';
import {
  createWebhook,
  deleteWebhook,
  editWebhook,
  findWebhook,
  listWebhooks,
  rotateSecret,
} from '../webhooks/manage.js';
import type { Webhook } from '../webhooks/webhook.js';

export const webhooks = {
  async listWebhooks(deps, { caller, query: { limit, cursor } }) {
    const { webhooks, nextCursor } = await listWebhooks(deps, caller, { limit, cursor });
    return { body: { items: webhooks.map(toWireWebhook), nextCursor } };
  },

  async createWebhook(deps, { actor, body: { url, description = '', eventTypes = null } }) {
    const { webhook, secret } = await createWebhook(deps, actor, { url, description, eventTypes });
    const headers = { Location: `/api/v1/webhooks/${webhook.uuid}` };
    return { headers, body: { webhook: toWireWebhook(webhook), secret } };
  },

  async getWebhook({ db, now }, { caller, path }) {
    return { body: toWireWebhook(await findWebhook(db.read, caller, path.webhook_id, now())) };
  },

  async updateWebhook(deps, { actor, path, body }) {
    return { body: toWireWebhook(await editWebhook(deps, actor, path.webhook_id, body)) };
  },

  async deleteWebhook(deps, { actor, path }) {
    await deleteWebhook(deps, actor, path.webhook_id);
    return {};
  },

  async rotateWebhookSecret(deps, { actor, path, body: { gracePeriodSeconds = 86_400 } }) {
    const { webhook, secret } = await rotateSecret(deps, actor, path.webhook_id, gracePeriodSeconds);
    return { body: { webhook: toWireWebhook(webhook), secret } };
  },

  async testWebhook(deps, { actor, path }) {
    return { body: toWireDelivery(await testWebhook(deps, actor, path.webhook_id)) };
  },

  async listWebhookDeliveries(deps, { caller, path, query: { status, limit, cursor } }) {
    const wish = { status, limit, cursor };
    const { deliveries, nextCursor } = await listDeliveries(deps, caller, path.webhook_id, wish);
    return { body: { items: deliveries.map(toWireDelivery), nextCursor } };
  },

  async redeliverWebhookDelivery(deps, { actor, path }) {
    return { body: toWireDelivery(await redeliver(deps, actor, path.webhook_id, path.delivery_id)) };
  },

  async redeliverWebhookDeliveries(deps, { actor, path, body }) {
    return { body: { count: await redeliverFailed(deps, actor, path.webhook_id, parseDateTime(body.since) ?? 0) } };
  },
} satisfies Partial<Handlers>;

function toWireDelivery({
  uuid,
  eventUuid,
  eventType,
  status,
  attempts,
  lastStatus,
  ...delivery
}: Delivery): WireDelivery {
  return {
    id: uuid,
    eventId: eventUuid,
    eventType,
    status,
    attempts,
    createdAt: toInstant(delivery.createdAt),
    lastAttemptAt: toInstantOrNull(delivery.lastAttemptAt),
    lastStatus,
    lastError: delivery.lastError,
    nextAttemptAt: toInstantOrNull(delivery.dueAt),
  };
}

function toWireWebhook(webhook: Webhook): WireWebhook {
  const { uuid, url, description, eventTypes, createdAt, disabledAt, disabledReason } = webhook;
  return {
    id: uuid,
    url,
    description,
    eventTypes,
    enabled: disabledAt === null,
    disabledReason,
    disabledAt: toInstantOrNull(disabledAt),
    createdAt: toInstant(createdAt),
    lastSuccessAt: toInstantOrNull(webhook.lastSuccessAt),
    lastFailureAt: toInstantOrNull(webhook.lastFailureAt),
    previousSecretValidUntil: toInstantOrNull(webhook.previousValidUntil),
  };
}
