import { type Database, runPrepared } from '../database/index.js';
import type { Caller } from '../tokens/caller.js';
import type { Event } from './event.js';
import { headOf } from './link.js';
import { exportEvents, ownerEvents } from './list.js';

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
  const [head] = await runPrepared(db.read, headOf, { organizationId });
  const end = head?.seq ?? 0;
  if (after > end || after < (head?.pruned_seq ?? 0)) return undefined;
  if (after === end) return { events: [], reached: after, isLast: true };
  if (isAuditor) {
    const events = await exportEvents({ db }, { organizationId }, { after, limit: BATCH });
    return { events, reached: events.at(-1)?.seq ?? after, isLast: events.length < BATCH };
  }
  const reached = Math.min(after + RANGE, end);
  const events = await ownerEvents({ db }, { organizationId, ownerId }, { after, to: reached });
  return { events, reached, isLast: reached === end };
}
