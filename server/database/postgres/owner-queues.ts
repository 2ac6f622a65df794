import { createPace } from '../../pace.js';
import { performanceNow } from '../../timers.js';
import type { Turn } from '../database.js';
import { StorageFault, WriteQueueFull } from '../faults.js';
import type { Queries } from '../schema.js';
import { TransactionLost } from './faults.js';

type Work<T> = (trx: Queries) => Promise<T>;

/** The most writes that share a commit. More would save little, and all of them wait for the last one. */
const MOST_TOGETHER = 16;
/** This number of writes of one owner may always wait, because the time that so few take is uncertain. */
const MOST_WAITING = 256;
/** Milliseconds. A write that would wait longer for those before it is rejected at once. */
const LONGEST_WAIT = 500;
/** Milliseconds. A write that has waited so long is rejected when the one before it ends, for example by a time-out. */
const PATIENCE = 5_000;
/** Milliseconds that a write is expected to take before the first measurement. */
const PACE_AT_FIRST = 5;

/** Runs transactions. */
export interface Transacting {
  /** Runs `work` in a transaction, and again if the server aborted it because of another transaction. */
  repeatedly<T>(work: Work<T>): Promise<T>;
  /** Runs `work` in a transaction once. `changes` returns how many of its queries may have changed something. */
  once<T>(work: (trx: Queries, changes: () => number) => Promise<T>): Promise<T>;
}

export interface OwnerQueues {
  /** Runs `work` as `Database.write` does, after the writes of the same owner that came before. */
  write<T>(turn: Turn, work: Work<T>): Promise<T>;
  /** Resolves when the writes that run or wait have ended. */
  idle(): Promise<void>;
}

interface Job {
  turn: Turn;
  /** When the write stops waiting, in milliseconds of the monotonic clock. */
  deadline: number;
  work: Work<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Undoes the changes of a group: a write threw after it had changed something. */
class MustRunAlone extends Error {
  override name = 'MustRunAlone';
}

/**
 * Writes of one owner wait for each other's locks on the server until the commits are on disk. Here they wait in this process
 * instead, and occupy no connection meanwhile; those that may share a transaction then share a commit.
 */
export function createOwnerQueues(transacting: Transacting, patience = PATIENCE): OwnerQueues {
  /** The waiting writes of each owner with a write under way, and what resolves when none is left. */
  const queues = new Map<number, { waiting: Job[]; drained: Promise<void> }>();
  const pace = createPace(PACE_AT_FIRST);

  async function drain(owner: number, waiting: Job[]): Promise<void> {
    for (let group = groupOf(waiting); group.length > 0; group = groupOf(waiting)) {
      const begin = performanceNow();
      await commit(transacting, group);
      pace.observe(performanceNow() - begin, group.length);
      rejectLate(waiting);
    }
    queues.delete(owner);
  }

  return {
    write: (turn, work) =>
      new Promise((resolve, reject) => {
        const deadline = performanceNow() + patience;
        const job = { turn, deadline, work, resolve: resolve as Job['resolve'], reject };
        const queue = queues.get(turn.owner);
        if (queue === undefined) {
          const first = { waiting: [job], drained: Promise.resolve() };
          queues.set(turn.owner, first);
          first.drained = drain(turn.owner, first.waiting);
        } else if (queue.waiting.length >= MOST_WAITING && pace.timeFor(queue.waiting.length) > LONGEST_WAIT) {
          reject(new WriteQueueFull('too many writes of one owner wait'));
        } else {
          queue.waiting.push(job);
        }
      }),
    async idle() {
      await Promise.all([...queues.values()].map(({ drained }) => drained));
    },
  };
}

/** Rejects the writes whose deadline has passed. The oldest are the first. */
function rejectLate(waiting: Job[]): void {
  for (let [oldest] = waiting; oldest !== undefined && performanceNow() > oldest.deadline; [oldest] = waiting) {
    oldest.reject(new WriteQueueFull('the writes of one owner before this one took too long'));
    waiting.shift();
  }
}

/** Takes the first write, and those behind it that can share its transaction. */
function groupOf(waiting: Job[]): Job[] {
  const end = waiting.findIndex(({ turn }) => !turn.sharesCommit);
  return waiting.splice(0, Math.max(1, Math.min(end < 0 ? waiting.length : end, MOST_TOGETHER)));
}

/** Runs writes in one transaction, and settles them. If one must undo its changes, each runs in a transaction of its own. */
async function commit({ once, repeatedly }: Transacting, group: readonly Job[]): Promise<void> {
  if (group.length > 1) {
    try {
      const settle = await once((trx, changes) => runAll(trx, changes, group));
      settle();
      return;
    } catch (error) {
      // Whether the commit has happened may be unknown, so that nothing may run again.
      if (error instanceof StorageFault && !(error instanceof TransactionLost)) {
        for (const { reject } of group) reject(error);
        return;
      }
    }
  }
  for (const { work, resolve, reject } of group) await repeatedly(work).then(resolve, reject);
}

/** Resolves with what answers the writes when their changes are committed. */
async function runAll(trx: Queries, changes: () => number, group: readonly Job[]): Promise<() => void> {
  const settlements: (() => void)[] = [];
  for (const { work, resolve, reject } of group) {
    const before = changes();
    try {
      const value = await work(trx);
      settlements.push(() => {
        resolve(value);
      });
    } catch (error) {
      if (error instanceof StorageFault) throw error;
      if (changes() !== before)
        throw new MustRunAlone('a write threw after it had changed something', { cause: error });
      settlements.push(() => {
        reject(error);
      });
    }
  }
  return () => {
    for (const settle of settlements) settle();
  };
}
