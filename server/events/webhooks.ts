import { hash } from 'node:crypto';
import type { DisabledReason, EventAction, Queries } from '../database/index.js';
import { toInstantOrNull } from '../instants.js';
import type { Actor } from '../tokens/actor.js';
import type { Webhook } from '../webhooks/webhook.js';
import { differences, type EventChanges, type Json } from './changes.js';
import { recordEvent } from './record.js';

type WebhookAction = Extract<EventAction, `webhook.${string}`>;

/** Writes what was done with a webhook. */
export async function recordWebhook(
  trx: Queries,
  actor: Actor,
  at: number,
  action: WebhookAction,
  { uuid, url, organizationId }: Webhook,
  changes?: EventChanges,
): Promise<void> {
  const target = { uuid, origin: new URL(url).origin };
  await recordEvent(trx, actor, at, { action, owner: { organizationId }, target, changes });
}

/** Writes that a webhook was created. */
export async function recordNewWebhook(trx: Queries, actor: Actor, at: number, webhook: Webhook): Promise<void> {
  await recordWebhook(trx, actor, at, 'webhook.created', webhook, { after: editable(webhook) });
}

/** Writes that a webhook has a new secret, and until when the former one signs too. */
export async function recordNewSecret(trx: Queries, actor: Actor, at: number, webhook: Webhook): Promise<void> {
  const after = { previousSecretValidUntil: toInstantOrNull(webhook.previousValidUntil) };
  await recordWebhook(trx, actor, at, 'webhook.secret_rotated', webhook, { after });
}

/** Writes why a webhook was disabled. */
export async function recordDisabled(
  trx: Queries,
  actor: Actor,
  at: number,
  webhook: Webhook,
  reason: DisabledReason,
): Promise<void> {
  await recordWebhook(trx, actor, at, 'webhook.disabled', webhook, { after: { reason } });
}

/** Writes how a webhook was changed: that it was enabled or disabled, and its other members that differ. */
export async function recordWebhookEdit(
  trx: Queries,
  actor: Actor,
  at: number,
  before: Webhook,
  after: Webhook,
): Promise<void> {
  const { disabledReason } = after;
  if (before.disabledReason === null && disabledReason !== null) {
    await recordDisabled(trx, actor, at, after, disabledReason);
  }
  if (before.disabledReason !== null && disabledReason === null) {
    await recordWebhook(trx, actor, at, 'webhook.enabled', after);
  }
  const changes = differences(editable(before), editable(after));
  if (changes !== undefined) await recordWebhook(trx, actor, at, 'webhook.updated', after, changes);
}

/** What an administrator can edit. The URL can contain a secret, and so is told by its origin and a digest. */
function editable({ url, description, eventTypes }: Webhook): Record<string, Json> {
  return { origin: new URL(url).origin, urlDigest: hash('sha256', url, 'hex').slice(0, 16), description, eventTypes };
}
