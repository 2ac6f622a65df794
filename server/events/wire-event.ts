import type { AuditEvent } from '../../generated/types.gen.js';
import { toInstant } from '../instants.js';
import type { Event } from './event.js';

/** An event as the API shows it, in answers, exports and streams. */
export function toWireEvent({ uuid, seq, at, action, actor, address, userAgent, target, ...event }: Event): AuditEvent {
  const { requestId, ownerId, reason, changes, hash } = event;
  return {
    id: uuid,
    seq,
    createdAt: toInstant(at),
    action,
    actor: { kind: actor.kind, userId: actor.userId, tokenId: actor.tokenUuid, email: actor.label },
    address,
    userAgent,
    requestId,
    ownerId,
    target: target && {
      kind: target.kind,
      tokenId: target.kind === 'webhook' ? null : target.uuid,
      webhookId: target.kind === 'webhook' ? target.uuid : null,
      label: target.label,
      tokenPrefix: target.prefix,
    },
    reason,
    changes: changes as AuditEvent['changes'],
    hash,
  };
}
