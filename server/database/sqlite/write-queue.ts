import { CompiledQuery } from 'kysely';
import { createPace } from '../../pace.js';
import { nextTurn, performanceNow, sleep } from '../../timers.js';
import { WriteQueueFull } from '../faults.js';
import { type Run, runCompiled, runDirectly } from '../prepared.js';
import type { Queries } from '../schema.js';
import { isBusy, isStorageFault } from './faults.js';

/** Milliseconds that a write waits for another process to release the file. */
const PATIENCE = 5_000;
/** Milliseconds. A write that would wait longer for those before it, as long as writes took of late, is refused at once. */
const LONGEST_WAIT = PATIENCE / 10;
/** Writes that share one flush: more would save little, since a flush takes the time of a few writes. */
const MOST_IN_A_GROUP = 256;
const LEAST_IN_A_GROUP = MOST_IN_A_GROUP / 16;
/** Milliseconds that a group may take while more wait, since all else waits for it; a flush is a small part of that. */
const LONGEST_GROUP = 40;
/** Turns of the event loop between two groups, or milliseconds: the system gives one new connection for each turn. */
const TURNS_BETWEEN = MOST_IN_A_GROUP / 4;
const LONGEST_BETWEEN = LONGEST_GROUP / 2;
/** Milliseconds that a write is expected to take before any is measured. */
const PACE_AT_FIRST = 0.5;

const BEGIN = CompiledQuery.raw('begin immediate');
const COMMIT = CompiledQuery.raw('commit');
const ROLL_BACK = CompiledQuery.raw('rollback');
const SAVEPOINT = CompiledQuery.raw('savepoint job');
const RELEASE = CompiledQuery.raw('release job');
const ROLL_BACK_TO_SAVEPOINT = CompiledQuery.raw('rollback to job');

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

export function createWriteQueue(writer: Queries, run: Run): WriteQueue {
  const waiting: Job[] = [];
  let draining: Promise<void> | undefined;
  const pace = createPace(PACE_AT_FIRST);
  /** How many the last group had. */
  let together = 1;

  async function drain(): Promise<void> {
    // One turn of the event loop, so that requests which arrived together are committed together; not where they come one
    // by one.
    if (together > 1) await nextTurn();
    while (waiting.length > 0) {
      const most = Math.max(LEAST_IN_A_GROUP, Math.min(pace.countWithin(LONGEST_GROUP), MOST_IN_A_GROUP));
      const group = waiting.splice(0, most);
      together = group.length;
      const milliseconds = await commitGroup(writer, run, group);
      // A group of one says more about the disk than about how many can be written in a while.
      if (group.length > 1) pace.observe(milliseconds, group.length);
      await letOthersRun();
    }
    draining = undefined;
  }

  /** One turn at least, since a flush asks for one write right behind the other; more only where more wait. */
  async function letOthersRun(): Promise<void> {
    const end = performanceNow() + LONGEST_BETWEEN;
    for (let turns = 0; turns < TURNS_BETWEEN; turns++) {
      await nextTurn();
      if (waiting.length === 0 || performanceNow() > end) return;
    }
  }

  return {
    write<T>(work: (trx: Queries) => Promise<T>) {
      // One group may always wait: what it takes is what a write takes.
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

/** Resolves with the milliseconds that it took from when the lock was there: how long others held it says nothing of us. */
async function commitGroup(writer: Queries, run: Run, group: Job[]): Promise<number> {
  const settlements: (() => void)[] = [];
  let begin = performanceNow();
  try {
    await writer.connection().execute(async (trx) => {
      runDirectly(trx, run);
      await beginImmediate(trx, patienceOf(group));
      begin = performanceNow();
      try {
        const perform = group.length === 1 ? runAlone : runInSavepoint;
        for (const job of group) settlements.push(await perform(trx, job));
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

/** Whether to go on waiting for another process that holds the lock, as the error says. */
export type Patience = (busy: unknown) => boolean;

function until(deadline: number): Patience {
  return () => performanceNow() <= deadline;
}

/** Each job's own: those that have waited long enough leave the group, which goes on waiting for the others. */
function patienceOf(group: Job[]): Patience {
  return (busy) => {
    for (let [oldest] = group; oldest !== undefined && performanceNow() > oldest.deadline; [oldest] = group) {
      oldest.reject(busy);
      group.shift();
    }
    return group.length > 0;
  };
}

/** Immediate: a deferred transaction that reads first and then writes fails where another process wrote in between. */
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

/** Whatever it throws undoes the transaction, which has nothing else in it. */
async function runAlone(trx: Queries, job: Job): Promise<() => void> {
  const value = await job.work(trx);
  return () => {
    job.resolve(value);
  };
}

async function runInSavepoint(trx: Queries, job: Job): Promise<() => void> {
  await runCompiled(trx, SAVEPOINT);
  try {
    const value = await job.work(trx);
    await runCompiled(trx, RELEASE);
    return () => {
      job.resolve(value);
    };
  } catch (error) {
    // A full or failing disk may have ended the transaction already: nothing of this group can be trusted.
    if (isStorageFault(error)) throw error;
    await runCompiled(trx, ROLL_BACK_TO_SAVEPOINT);
    await runCompiled(trx, RELEASE);
    return () => {
      job.reject(error);
    };
  }
}

/** For what has failed already, which stays the reason. */
export async function rollBack(trx: Queries): Promise<void> {
  try {
    await runCompiled(trx, ROLL_BACK);
  } catch {
    // SQLite ends the transaction by itself after some faults, and then there is none to roll back.
  }
}
