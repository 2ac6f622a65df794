import type { Webhook as WireWebhook } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { toInstant, toInstantOrNull } from '../instants.js';
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
} satisfies Partial<Handlers>;

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
