import { type Queries, runPrepared, withoutLocked } from './database/index.js';
import type { Deps } from './deps.js';
import { logHeads } from './events/heads.js';
import { pruneEvents } from './events/prune.js';
import { claimJob } from './jobs.js';
import { clearInterval, setInterval } from './timers.js';
import { SYSTEM } from './tokens/actor.js';
import { deleteExpiredAnswers } from './tokens/once.js';
import { finishOffboardings } from './users/offboard.js';
import { deleteOldDeliveries, KEPT_FOR } from './webhooks/deliveries.js';

/** Milliseconds between two sweeps of one database. */
const INTERVAL = 5 * 60_000;
const DAY = 24 * 60 * 60_000;
/** Rows that one transaction deletes, so that no request waits long for it. */
const CHUNK = 200;
/** Milliseconds between two log lines with the end of the audit log. */
const HEADS_INTERVAL = 60 * 60_000;
/** The names of the works in `jobs`. */
const SWEEP = 'sweep';
const HEADS = 'audit heads';

/** Deletes rows that have expired and that nothing else deletes, and goes on with offboardings that a process left. */
export interface Sweeper {
  /** Sweeps, and resolves with true, unless a process has swept the database within the last five minutes. */
  sweep(): Promise<boolean>;
  /** Waits for the sweep under way, which stops before its next transaction. */
  close(): Promise<void>;
}

/** Creates the sweeper of a process. Of several processes on one database, the one that claims the job sweeps. */
export function createSweeper({ db, now, log, config }: Pick<Deps, 'db' | 'now' | 'log' | 'config'>): Sweeper {
  let isClosed = false;
  let sweeping: Promise<unknown> = Promise.resolve();

  async function sweep(): Promise<boolean> {
    const at = now();
    if (!(await db.write((trx) => claimJob(trx, SWEEP, at, at + INTERVAL)))) return false;
    // A little early, because sweeps come five minutes apart at least.
    const nextHour = at + HEADS_INTERVAL - INTERVAL / 2;
    if (await db.write((trx) => claimJob(trx, HEADS, at, nextHour))) await logHeads(db, log);
    const steps = [
      { deleteExpired: deleteExpiredAttempts, before: at },
      { deleteExpired: deleteExpiredAnswers, before: at },
      { deleteExpired: deleteOldDeliveries, before: at - KEPT_FOR },
    ];
    for (const { deleteExpired, before } of steps) {
      let deleted = CHUNK;
      while (deleted === CHUNK && !isClosed) {
        ({ length: deleted } = await db.write((trx) => runPrepared(trx, deleteExpired, { at: before, most: CHUNK })));
      }
    }
    await finishOffboardings({ db, now, config }, SYSTEM, () => isClosed);
    if (config.auditDays !== null) await pruneEvents(db, at, at - config.auditDays * DAY, () => isClosed);
    return true;
  }

  const timer = setInterval(() => {
    sweeping = sweep().catch((error: unknown) => {
      log.warn({ err: error }, 'expired rows could not be deleted; trying again in 5 minutes');
    });
  }, INTERVAL).unref();

  return {
    sweep,
    async close() {
      isClosed = true;
      clearInterval(timer);
      await sweeping;
    },
  };
}

const deleteExpiredAttempts = (trx: Queries, { at, most }: { at: number; most: number }) =>
  trx
    .deleteFrom('login_attempts')
    .where('key', 'in', (query) =>
      withoutLocked(
        trx,
        query
          .selectFrom('login_attempts')
          .select('key')
          .where('expires_at', '<=', at)
          .orderBy('expires_at')
          .limit(most),
      ),
    )
    .returning('key');
