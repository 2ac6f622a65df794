import type { AuditEvent, Latchkey, ListAuditEventsData } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { lookOf } from '../output/look.js';
import { relative } from '../output/moment.js';
import { note, print } from '../output/print.js';
import { type Column, table } from '../output/table.js';
import { toJson } from '../output/text.js';
import { userId } from '../tokens/owner.js';

type Query = NonNullable<ListAuditEventsData['query']>;

export interface ListFlags extends RemoteFlags {
  action?: Query['action'];
  actor?: string;
  owner?: string;
  token?: string;
  requestId?: string;
  after?: string;
  before?: string;
  limit?: number;
}

const LARGEST_PAGE = 200;

export async function listEvents(flags: ListFlags): Promise<void> {
  const { action, token, requestId, after, before, limit = 50 } = flags;
  await withConnection(flags, async ({ client }) => {
    const actor = flags.actor === undefined ? undefined : await userId(client, flags.actor);
    const owner = flags.owner === undefined ? undefined : await userId(client, flags.owner);
    const query: Query = {
      ...(action !== undefined && { action }),
      ...(token !== undefined && { token }),
      ...(requestId !== undefined && { requestId }),
      ...(after !== undefined && { after }),
      ...(before !== undefined && { before }),
      ...(actor !== undefined && { actor }),
      ...(owner !== undefined && { owner }),
      limit: Math.min(limit, LARGEST_PAGE),
    };
    const events = (await eventsOf(client, query, limit)).slice(0, limit);
    if (flags.json === true) print(toJson(events));
    else printTable(events, flags);
  });
}

async function eventsOf(client: Latchkey, query: Query, limit: number): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await client.listAuditEvents({ query: { ...query, ...(cursor != null && { cursor }) } });
    events.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && events.length < limit);
  return events;
}

function printTable(events: readonly AuditEvent[], flags: ListFlags): void {
  const look = lookOf(flags);
  if (events.length === 0) {
    if (look.forPeople) note('no events');
    return;
  }
  print(table(look.forPeople ? COLUMNS : EXACT_COLUMNS, events, look));
}

const EXACT: Column<AuditEvent> = { title: 'when', text: ({ createdAt }) => createdAt };

const COLUMNS: Column<AuditEvent>[] = [
  { title: 'when', text: ({ createdAt }) => relative(createdAt) },
  { title: 'action', text: ({ action, reason }) => (reason === null ? action : `${action} (${reason})`) },
  { title: 'by', text: ({ actor }) => actor.email ?? actor.kind, shrinks: true },
  { title: 'what', text: targetOf, shrinks: true },
  { title: 'from', text: ({ address }) => address ?? '' },
  { title: 'request', text: ({ requestId }) => requestId ?? '', shrinks: true },
];

/** The columns for programs, which need exact instants. */
export const EXACT_COLUMNS = [EXACT, ...COLUMNS.slice(1)];

function targetOf({ target, changes }: AuditEvent): string {
  const count = changes.count === undefined ? '' : String(changes.count);
  if (target === null) return count;
  if (target.kind === 'tokens') return `${count} tokens`;
  return target.tokenPrefix === null ? (target.label ?? '') : `${target.label ?? ''} ${target.tokenPrefix}`;
}
