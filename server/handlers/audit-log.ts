import type { AuditEvent } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import { parseDateTime } from '../contract/formats.js';
import type { Event } from '../events/event.js';
import { type EventPage, exportEvents, listEvents, listTokenEvents } from '../events/list.js';
import { toInstant } from '../instants.js';

export const auditLog = {
  async listAuditEvents(deps, { caller, query }) {
    const { limit, cursor, after, before, ...filter } = query;
    const times = { after: toMilliseconds(after), before: toMilliseconds(before) };
    return { body: toPage(await listEvents(deps, caller, { ...filter, ...times }, { limit, cursor })) };
  },

  async listAccessTokenEvents(deps, { caller, path, query: { limit, cursor } }) {
    return { body: toPage(await listTokenEvents(deps, caller, path.token_id, { limit, cursor })) };
  },

  async exportAuditEvents(deps, { caller, query: { after, limit } }) {
    const events = await exportEvents(deps, caller, { after, limit });
    return { body: events.map((event) => `${JSON.stringify(toWireEvent(event))}\n`).join('') };
  },
} satisfies Partial<Handlers>;

function toMilliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDateTime(text);
}

function toPage({ events, nextCursor }: EventPage) {
  return { items: events.map(toWireEvent), nextCursor };
}

function toWireEvent({ uuid, seq, at, action, actor, address, userAgent, target, ...event }: Event): AuditEvent {
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
