import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { isBusy, isStorageFault } from './faults.js';
import type { Queries } from './schema.js';

/** Milliseconds that a write waits for another process to release the file. */
const PATIENCE = 5_000;
const MOST_IN_A_GROUP = 256;
/** Writes that may wait; one more is refused at once, since it could not be answered in time. */
const MOST_WAITING = 10_000;

/** More writes wait than can be answered in time. */
export class WriteQueueFull extends Error {
  override name = 'WriteQueueFull';
}

interface Job {
  /** When it stops waiting for another process, in the monotonic clock's milliseconds. */
  deadline: number;
  work(trx: Queries): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface WriteQueue {
  /**
   * Runs `work` in a transaction and resolves after its commit is on disk.
   *
   * Writes that arrive while another group commits share one transaction, each in a savepoint of its own: one that
   * throws undoes its own changes alone, and a commit that fails rejects the whole group. `work` must await nothing
   * but queries on the `trx` that it gets.
   */
  write<T>(work: (trx: Queries) => Promise<T>): Promise<T>;
  /** Resolves when everything queued so far is answered. */
  idle(): Promise<void>;
}

export function createWriteQueue(writer: Queries): WriteQueue {
  const waiting: Job[] = [];
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // One turn of the event loop, so that requests which arrived together are committed together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await commitGroup(writer, waiting.splice(0, MOST_IN_A_GROUP));
    draining = undefined;
  }

  return {
    write<T>(work: (trx: Queries) => Promise<T>) {
      if (waiting.length >= MOST_WAITING) return Promise.reject(new WriteQueueFull('too many writes wait'));
      return new Promise<T>((resolve, reject) => {
        waiting.push({ deadline: performance.now() + PATIENCE, work, resolve: resolve, reject });
        draining ??= drain();
      });
    },
    async idle() {
      await draining;
    },
  };
}

async function commitGroup(writer: Queries, group: Job[]): Promise<void> {
  const answers: (() => void)[] = [];
  try {
    await writer.connection().execute(async (trx) => {
      await beginImmediate(trx, group[0] && until(group[0].deadline));
      try {
        for (const job of group) answers.push(await runInSavepoint(trx, job));
        await sql`commit`.execute(trx);
      } catch (error) {
        await rollBack(trx);
        throw error;
      }
    });
  } catch (error) {
    for (const job of group) job.reject(error);
    return;
  }
  for (const answer of answers) answer();
}

/** Whether to go on waiting for another process that holds the lock. */
export type Patience = () => boolean;

function until(deadline: number): Patience {
  return () => performance.now() <= deadline;
}

/** Immediate: a deferred transaction that reads first and then writes fails where another process wrote in between. */
export async function beginImmediate(
  trx: Queries,
  isPatient: Patience = until(performance.now() + PATIENCE),
): Promise<void> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    try {
      await sql`begin immediate`.execute(trx);
      return;
    } catch (error) {
      if (!isBusy(error) || !isPatient()) throw error;
      await sleep(pause * (0.5 + Math.random()));
    }
  }
}

async function runInSavepoint(trx: Queries, job: Job): Promise<() => void> {
  await sql`savepoint job`.execute(trx);
  try {
    const value = await job.work(trx);
    await sql`release job`.execute(trx);
    return () => {
      job.resolve(value);
    };
  } catch (error) {
    // A full or failing disk may have ended the transaction already: nothing of this group can be trusted.
    if (isStorageFault(error)) throw error;
    await sql`rollback to job`.execute(trx);
    await sql`release job`.execute(trx);
    return () => {
      job.reject(error);
    };
  }
}

async function rollBack(trx: Queries): Promise<void> {
  try {
    await sql`rollback`.execute(trx);
  } catch {
    // SQLite ends the transaction by itself after some faults, and then there is none to roll back.
  }
}
