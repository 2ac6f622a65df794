import type { Handlers } from '../contract/contract.js';
import { parseDateTime } from '../contract/formats.js';
import { insufficientScope } from '../errors.js';
import { type EventPage, exportEvents, listEvents, listTokenEvents } from '../events/list.js';
import { toOcsf } from '../events/ocsf.js';
import { requireNoGap } from '../events/places.js';
import { toWireEvent } from '../events/wire-event.js';
import { actingOwner } from '../tokens/acting.js';
import { heldNamedScopes } from '../tokens/administrators.js';
import { AUDIT, READ } from '../tokens/scopes.js';

export const auditLog = {
  async listAuditEvents(deps, { caller, query }) {
    const { limit, cursor, after, before, ...filter } = query;
    const times = { after: toMilliseconds(after), before: toMilliseconds(before) };
    return { body: toPage(await listEvents(deps, caller, { ...filter, ...times }, { limit, cursor })) };
  },

  async listAccessTokenEvents(deps, { caller, path, query }) {
    const { limit, cursor } = query;
    const owner = await actingOwner(deps.db.read, caller, query, 'audit');
    return { body: toPage(await listTokenEvents(deps, owner, path.token_id, { limit, cursor })) };
  },

  async exportAuditEvents(deps, { caller, query: { after, limit, format } }) {
    const events = await exportEvents(deps, caller, { after, limit });
    await requireNoGap(deps.db, caller.organizationId, after, events);
    const show = format === 'ocsf' ? toOcsf : toWireEvent;
    return { body: events.map((event) => `${JSON.stringify(show(event))}\n`).join('') };
  },

  async followEvents(deps, { caller, query, lastEventId }) {
    const after = lastEventId === undefined ? query.after : Number(lastEventId);
    const isAuditor = caller.holds(AUDIT) && (await heldNamedScopes(deps.db.read, caller)).includes(AUDIT);
    if (!isAuditor && !caller.holds(READ)) throw insufficientScope(READ);
    const stream = await deps.feed.follow(caller, { after, isAuditor });
    return { stream, headers: { 'X-Accel-Buffering': 'no' } };
  },
} satisfies Partial<Handlers>;

function toMilliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDateTime(text);
}

function toPage({ events, nextCursor }: EventPage) {
  return { items: events.map(toWireEvent), nextCursor };
}
