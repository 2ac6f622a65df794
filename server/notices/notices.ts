import { createBackground } from '../background.js';
import { hasOneWriter } from '../database/index.js';
import type { Deps, Notices } from '../deps.js';
import { claimJob } from '../jobs.js';
import { sleep } from '../timers.js';
import { beginNotices, NOTICES, noticeBatch } from './round.js';

/** Milliseconds between two rounds. */
const INTERVAL = 60_000;
/**
 * Milliseconds by which a round on PostgreSQL stays behind: a transaction may still set an expiry at an earlier instant. The server
 * ends each statement after 5 seconds.
 */
const LAG = 10_000;

/** Milliseconds of a pause while another process has the row of the job, and how many pauses a round makes. */
const PAUSE = 20;
const MOST_PAUSES = 25;

/**
 * Notices tokens that expire, as long as the service runs. Of several processes on one database, the one that claims the job
 * does it.
 */
export function createNotices(deps: Pick<Deps, 'db' | 'config' | 'now' | 'log' | 'mails'>): Notices {
  const { db, now, log } = deps;
  let isClosed = false;

  async function round(): Promise<void> {
    const at = now() - (hasOneWriter(db.read) ? 0 : LAG);
    let more: boolean | 'busy' = true;
    // Others lock the row of the job only for a moment, to claim it or for one batch.
    for (let pauses = 0; more !== false && pauses < MOST_PAUSES && !isClosed; ) {
      more = await noticeBatch(deps, at);
      if (more !== 'busy') continue;
      pauses += 1;
      await sleep(PAUSE);
    }
    deps.mails.wake();
  }

  const background = createBackground(
    async () => {
      await sweep();
      return undefined;
    },
    { every: INTERVAL, log, failure: 'tokens that expire could not be noticed; trying again in a minute' },
  );

  async function sweep(): Promise<boolean> {
    const at = now();
    if (!(await db.write((trx) => claimJob(trx, NOTICES, at, at + INTERVAL)))) return false;
    await round();
    return true;
  }

  return {
    begin: () => beginNotices(db, now()),
    sweep,
    settle: round,
    async close() {
      isClosed = true;
      await background.close();
    },
  };
}
