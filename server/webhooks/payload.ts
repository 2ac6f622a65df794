import type { WebhookEvent } from '../../generated/types.gen.js';
import type { Event } from '../events/event.js';
import { toInstant, toInstantOrNull } from '../instants.js';

/** What a webhook gets of an event: names and ids, but no addresses, no changes and never a secret. */
export function payloadOf(event: Event, expiresAt: number | null): string {
  const { target, changes } = event;
  const isToken = target?.kind === 'token';
  const payload: WebhookEvent = {
    type: event.action,
    timestamp: toInstant(event.at),
    data: {
      eventId: event.uuid,
      seq: event.seq,
      actor: { kind: event.actor.kind, userId: event.actor.userId, tokenId: event.actor.tokenUuid },
      ownerId: event.ownerId,
      tokenId: isToken ? target.uuid : null,
      tokenName: isToken ? target.label : null,
      tokenPrefix: isToken ? target.prefix : null,
      expiresAt: isToken ? toInstantOrNull(expiresAt) : null,
      webhookId: target?.kind === 'webhook' ? target.uuid : null,
      reason: event.reason,
      count: changes.count ?? null,
      tokenIds: target?.kind === 'tokens' ? [...(changes.ids ?? [])] : null,
    },
  };
  return JSON.stringify(payload);
}

/** What a webhook gets when an administrator tests it. */
export function testPayload(deliveryId: string, webhookId: string, userId: number, at: number): string {
  const payload: WebhookEvent = {
    type: 'webhook.test',
    timestamp: toInstant(at),
    data: {
      eventId: deliveryId,
      seq: null,
      actor: { kind: 'user', userId, tokenId: null },
      ownerId: null,
      tokenId: null,
      tokenName: null,
      tokenPrefix: null,
      expiresAt: null,
      webhookId,
      reason: null,
      count: null,
      tokenIds: null,
    },
  };
  return JSON.stringify(payload);
}
