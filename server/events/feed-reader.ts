import type { Database } from '../database/index.js';
import type { Caller, OwnerKey } from '../tokens/caller.js';
import type { Event } from './event.js';
import { exportEvents, ownerEvents } from './list.js';
import { extentOf, hasAllBehind } from './places.js';

/** Events that are read and sent together. A stream has no more than these in memory. */
const BATCH = 100;
/** Places of the chain in which one query looks for the events of one owner. */
const RANGE = 100;

/** Who follows events: an auditor all of the organization, anybody else those about themselves. */
export interface Follower {
  caller: Caller;
  isAuditor: boolean;
}

/** Some events behind a place. */
export interface Part {
  events: Event[];
  /** The place behind them. */
  reached: number;
  /** Whether no more events were there. */
  isLast: boolean;
}

/** Reads events for streams. Streams at the same place share one query. */
export interface FeedReader {
  /** The events behind `after`; undefined if some of them are missing. */
  read(follower: Follower, after: number): Promise<Part | undefined>;
  /** Increases when there may be new events. */
  version(): number;
  /** Tells that there may be new events. */
  forget(): void;
}

export function createFeedReader(db: Pick<Database, 'read'>): FeedReader {
  let version = 0;
  const parts = new Map<string, Promise<Part | undefined>>();
  return {
    read({ caller, isAuditor }, after) {
      const key = [caller.organizationId, isAuditor ? '' : caller.ownerId, after].join(' ');
      let part = parts.get(key);
      if (part === undefined) {
        const own = readPart(db, caller, isAuditor, after);
        parts.set(key, own);
        // Only what the streams at the end of the chain share is kept: a stream that begins early reads a long chain.
        const forgetOwn = () => parts.get(key) === own && parts.delete(key);
        own.then((read) => read?.isLast === true || forgetOwn(), forgetOwn);
        part = own;
      }
      return part;
    },
    version: () => version,
    forget() {
      version++;
      parts.clear();
    },
  };
}

async function readPart(
  db: Pick<Database, 'read'>,
  { organizationId, ownerId }: Caller,
  isAuditor: boolean,
  after: number,
): Promise<Part | undefined> {
  const extent = await extentOf(db.read, organizationId);
  const { seq: end } = extent;
  if (!hasAllBehind(extent, after)) return undefined;
  if (after === end) return { events: [], reached: after, isLast: true };
  const part = isAuditor
    ? toPart(await exportEvents({ db }, { organizationId }, { after, limit: BATCH }), after)
    : await ownPart(db, { organizationId, ownerId }, after, end);
  // Old events may have been deleted between the queries.
  return hasAllBehind(await extentOf(db.read, organizationId), after) ? part : undefined;
}

function toPart(events: Event[], after: number): Part {
  return { events, reached: events.at(-1)?.seq ?? after, isLast: events.length < BATCH };
}

async function ownPart(db: Pick<Database, 'read'>, owner: OwnerKey, after: number, end: number): Promise<Part> {
  const reached = Math.min(after + RANGE, end);
  return { events: await ownerEvents({ db }, owner, { after, to: reached }), reached, isLast: reached === end };
}
