import { type Database, type Queries, runPrepared } from '../database/index.js';
import type { Actor } from '../tokens/actor.js';
import { recordEvent } from './record.js';

// Failed logins are counted for each address, and one event each minute says how many there were: a flood must not fill the disk.

/** Addresses that are counted apart in a minute. The failures from all others make one event without an address. */
const MOST_ADDRESSES = 1_000;

interface Failures {
  /** Of the last failure. */
  actor: Actor;
  count: number;
}

export interface FailedLogins {
  /** Counts a failure, and returns whether it is the first one since the last write. */
  add(actor: Actor): boolean;
  /** How many events the next write makes. */
  size(): number;
  /** Writes an event for each address. What cannot be written is lost. */
  write(db: Pick<Database, 'read' | 'write'>, at: number): Promise<void>;
}

export function createFailedLogins(): FailedLogins {
  let failures = new Map<string, Failures>();
  return {
    add(actor) {
      const { recordedAddress, userAgent, requestId } = actor;
      // What the request is made of must not live as long as the count. Who gave a wrong password is not known.
      const last = { kind: 'anonymous' as const, caller: null, address: null, recordedAddress, userAgent, requestId };
      const known = failures.get(recordedAddress ?? '');
      const others = { ...last, recordedAddress: null, userAgent: null, requestId: null };
      const isFull = known === undefined && failures.size >= MOST_ADDRESSES;
      const key = isFull ? '' : (recordedAddress ?? '');
      const count = (failures.get(key)?.count ?? 0) + 1;
      failures.set(key, { actor: isFull ? others : last, count });
      return failures.size === 1 && count === 1;
    },

    size: () => failures.size,

    async write(db, at) {
      const batch = [...failures.values()];
      failures = new Map();
      const [organization] = await runPrepared(db.read, firstOrganization, {});
      if (organization === undefined || batch.length === 0) return;
      const owner = { organizationId: organization.id };
      await db.write(async (trx) => {
        for (const { actor, count } of batch)
          await recordEvent(trx, actor, at, { action: 'login.failed', owner, target: null, changes: { count } });
      });
    },
  };
}

const firstOrganization = (read: Queries) => read.selectFrom('organizations').select('id').orderBy('id').limit(1);
