import { CompiledQuery } from 'kysely';
import { createPace } from '../../pace.js';
import { nextTurn, performanceNow, sleep } from '../../timers.js';
import { type AtCommit, collectEvents } from '../at-commit.js';
import { WriteQueueFull } from '../faults.js';
import { type Run, runCompiled, runDirectly } from '../prepared.js';
import type { EventRow, Queries } from '../schema.js';
import type { Changes } from './dialect.js';
import { isBusy, isStorageFault } from './faults.js';

/** Milliseconds that a write waits for another process to release the lock of the file. */
const PATIENCE = 5_000;
/** Milliseconds. A write is rejected at once if the writes before it are expected to take longer than this. */
const LONGEST_WAIT = PATIENCE / 10;
/** The most writes that share one flush. More would save little, because a flush takes the time of a few writes. */
const MOST_IN_A_GROUP = 256;
/** This number of writes may always share a flush, however long the writes take. */
const LEAST_IN_A_GROUP = MOST_IN_A_GROUP / 16;
/**
 * Milliseconds that a group of writes is expected to take at most, because the process does little else meanwhile. A
 * flush takes a small part of this time.
 */
const LONGEST_GROUP = 40;
/**
 * The most turns of the event loop between two groups. In each turn the system gives the process one new connection.
 */
const TURNS_BETWEEN = MOST_IN_A_GROUP / 4;
/** Milliseconds after which the next group begins even if fewer turns have passed. */
const LONGEST_BETWEEN = LONGEST_GROUP / 2;
/** Milliseconds that a write is expected to take before the first measurement. */
const PACE_AT_FIRST = 0.5;

const BEGIN = CompiledQuery.raw('begin immediate');
const COMMIT = CompiledQuery.raw('commit');
const ROLL_BACK = CompiledQuery.raw('rollback');
const SAVEPOINT = CompiledQuery.raw('savepoint job');
const RELEASE = CompiledQuery.raw('release job');
const ROLL_BACK_TO_SAVEPOINT = CompiledQuery.raw('rollback to job');

/** A write that waits. */
interface Job {
  /** When the write stops waiting for another process, in milliseconds of the monotonic clock. */
  deadline: number;
  work(trx: Queries): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Answers a write after the commit. */
type Settlement = () => void;

/** The writes of the process. */
export interface WriteQueue {
  /**
   * Runs `work` in a transaction and resolves with the result of `work` when the commit is on disk. `work` must await
   * only queries on its `trx`.
   *
   * Writes that arrive while a transaction runs form a group and share the next transaction. A `work` that throws undoes
   * only its own changes; for that, the works of its group may run again. If the commit fails, every write of the group
   * rejects. Rejects with `WriteQueueFull` if too many writes wait, and with the driver's error if another process
   * holds the lock for 5 seconds.
   */
  write<T>(work: (trx: Queries) => Promise<T>): Promise<T>;
  /** Resolves when no write runs or waits. */
  idle(): Promise<void>;
}

/** The connection that writes. */
interface Writer {
  queries: Queries;
  /** Runs queries on the connection of `queries`. */
  run: Run;
  /** What the connection of `queries` may have changed. */
  changes: Changes;
  /** The events of the open transaction, which `atCommit` writes. */
  events: EventRow[];
  atCommit: AtCommit;
}

/** Creates the queue of writes on a connection. With `atCommit`, the events of a group wait for the end of its transaction. */
export function createWriteQueue(
  connection: Pick<Writer, 'queries' | 'run' | 'changes'>,
  atCommit?: AtCommit,
): WriteQueue {
  const writer: Writer = { ...connection, events: [], atCommit: atCommit ?? (() => Promise.resolve()) };
  if (atCommit !== undefined) collectEvents(writer.queries, writer.events);
  const waiting: Job[] = [];
  let draining: Promise<void> | undefined;
  const pace = createPace(PACE_AT_FIRST);
  /** The number of writes in the latest group. */
  let together = 1;

  async function drain(): Promise<void> {
    // Wait one turn of the event loop, so that requests that arrived together share a transaction. If writes come one
    // by one, do not wait.
    if (together > 1) await nextTurn();
    while (waiting.length > 0) {
      const most = Math.max(LEAST_IN_A_GROUP, Math.min(pace.countWithin(LONGEST_GROUP), MOST_IN_A_GROUP));
      const group = waiting.splice(0, most);
      together = group.length;
      const milliseconds = await commitGroup(writer, group);
      // Do not measure a group of one write: most of its time is the flush.
      if (group.length > 1) pace.observe(milliseconds, group.length);
      await letOthersRun();
    }
    draining = undefined;
  }

  /**
   * Lets the event loop run for one turn, and for more turns while writes wait. Without this, a group would begin
   * directly after the flush of the group before.
   */
  async function letOthersRun(): Promise<void> {
    const end = performanceNow() + LONGEST_BETWEEN;
    for (let turns = 0; turns < TURNS_BETWEEN; turns++) {
      await nextTurn();
      if (waiting.length === 0 || performanceNow() > end) return;
    }
  }

  return {
    write<T>(work: (trx: Queries) => Promise<T>) {
      // One full group of writes may always wait.
      if (waiting.length >= MOST_IN_A_GROUP && pace.timeFor(waiting.length) > LONGEST_WAIT) {
        return Promise.reject(new WriteQueueFull('too many writes wait'));
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push({ deadline: performanceNow() + PATIENCE, work, resolve: resolve, reject });
        draining ??= drain();
      });
    },
    async idle() {
      await draining;
    },
  };
}

/**
 * Runs a group of writes in one transaction and settles the writes. Resolves with the milliseconds that the transaction
 * took; the wait for the lock does not count, because other processes cause it.
 */
async function commitGroup(writer: Writer, group: Job[]): Promise<number> {
  const { queries, run, events, atCommit } = writer;
  let settlements: Settlement[] = [];
  let begin = performanceNow();
  try {
    await queries.connection().execute(async (trx) => {
      runDirectly(trx, run);
      await beginImmediate(trx, patienceOf(group));
      begin = performanceNow();
      events.length = 0;
      try {
        settlements =
          group.length === 1 && group[0] !== undefined
            ? [await runAlone(trx, group[0])]
            : ((await runTogether(trx, writer, group)) ?? (await runInSavepoints(trx, events, group)));
        if (events.length > 0) await atCommit(trx, events);
        await runCompiled(trx, COMMIT);
      } catch (error) {
        await rollBack(trx);
        throw error;
      }
    });
  } catch (error) {
    for (const job of group) job.reject(error);
    return performanceNow() - begin;
  }
  const milliseconds = performanceNow() - begin;
  for (const settle of settlements) settle();
  return milliseconds;
}

/**
 * Decides whether to wait longer for another process that holds the lock. `busy` is the error of the latest attempt.
 */
export type Patience = (busy: unknown) => boolean;

function until(deadline: number): Patience {
  return () => performanceNow() <= deadline;
}

/**
 * The patience of a group. A write whose deadline has passed rejects with `busy` and leaves the group; the group waits
 * on until no write is left.
 */
function patienceOf(group: Job[]): Patience {
  return (busy) => {
    for (let [oldest] = group; oldest !== undefined && performanceNow() > oldest.deadline; [oldest] = group) {
      oldest.reject(busy);
      group.shift();
    }
    return group.length > 0;
  };
}

/**
 * Begins a transaction with the write lock, and waits while another process holds the lock. `isPatient` decides how
 * long to wait, by default 5 seconds. Rejects with the driver's error.
 *
 * The transaction is immediate, because a deferred transaction that first reads and then writes fails if another
 * process writes in between.
 */
export async function beginImmediate(
  trx: Queries,
  isPatient: Patience = until(performanceNow() + PATIENCE),
): Promise<void> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    try {
      await runCompiled(trx, BEGIN);
      return;
    } catch (error) {
      if (!isBusy(error) || !isPatient(error)) throw error;
      await sleep(pause * (0.5 + Math.random()));
    }
  }
}

/** Runs the only write of a group, without a savepoint: if `work` throws, the whole transaction is rolled back. */
async function runAlone(trx: Queries, job: Job): Promise<Settlement> {
  const value = await job.work(trx);
  return () => {
    job.resolve(value);
  };
}

/**
 * Runs the writes of a group without savepoints, because SQLite copies each page that changes in a savepoint. Resolves with
 * undefined if a write threw after it had changed something. Rejects only for storage faults, which concern the whole group.
 */
async function runTogether(
  trx: Queries,
  { events, changes }: Writer,
  group: readonly Job[],
): Promise<Settlement[] | undefined> {
  const settlements: Settlement[] = [];
  for (const job of group) {
    const before = { changes: changes.count, events: events.length };
    try {
      const value = await job.work(trx);
      settlements.push(() => {
        job.resolve(value);
      });
    } catch (error) {
      if (isStorageFault(error)) throw error;
      if (changes.count !== before.changes) return undefined;
      events.length = before.events;
      settlements.push(() => {
        job.reject(error);
      });
    }
  }
  return settlements;
}

/** Undoes what `runTogether` changed, and runs the writes again, so that those that throw undo their own changes alone. */
async function runInSavepoints(trx: Queries, events: EventRow[], group: Job[]): Promise<Settlement[]> {
  await runCompiled(trx, ROLL_BACK);
  await beginImmediate(trx, patienceOf(group));
  events.length = 0;
  const settlements: Settlement[] = [];
  for (const job of group) settlements.push(await runInSavepoint(trx, job, events));
  return settlements;
}

/**
 * Runs a write in a savepoint, and removes its events from `events` if it throws. Rejects only for storage faults, which
 * concern the whole group.
 */
async function runInSavepoint(trx: Queries, job: Job, events: EventRow[]): Promise<Settlement> {
  const before = events.length;
  await runCompiled(trx, SAVEPOINT);
  try {
    const value = await job.work(trx);
    await runCompiled(trx, RELEASE);
    return () => {
      job.resolve(value);
    };
  } catch (error) {
    // A full or failing disk may have ended the whole transaction already, so every write of the group must reject.
    if (isStorageFault(error)) throw error;
    events.length = before;
    await runCompiled(trx, ROLL_BACK_TO_SAVEPOINT);
    await runCompiled(trx, RELEASE);
    return () => {
      job.reject(error);
    };
  }
}

/** Rolls the transaction back after an error. Never rejects, so that the caller can throw the first error. */
export async function rollBack(trx: Queries): Promise<void> {
  try {
    await runCompiled(trx, ROLL_BACK);
  } catch {
    // After some faults SQLite has rolled the transaction back by itself, so that this second rollback fails.
  }
}
