import { CompiledQuery, type QueryResult } from 'kysely';
import type { PoolClient } from 'pg';
import { createPace } from '../../pace.js';
import { performanceNow, sleep } from '../../timers.js';
import type { Database } from '../database.js';
import { WriteQueueFull } from '../faults.js';
import { runDirectly, sendsAhead } from '../prepared.js';
import type { Queries } from '../schema.js';
import { type Execute, kyselyOver } from './dialect.js';
import { ConnectionLost, sqlStateOf, TOO_MANY_CONNECTIONS, TransactionLost, toFault } from './faults.js';
import { type Ask, sendAsked } from './named-query.js';
import { createOwnerQueues } from './owner-queues.js';
import { clientConfig, cut, type PostgresSettings, setUpSession, toConnectFault } from './session.js';

/** This number of transactions may always wait, because the time that so few transactions take is uncertain. */
const MOST_WAITING = 256;
/** Milliseconds. A transaction that would wait longer for those before it is rejected at once. */
const LONGEST_WAIT = 500;
/** Milliseconds that a transaction is expected to take on one connection before the first measurement. */
const PACE_AT_FIRST = 5;
/** How often a transaction runs again that the server aborted because of another transaction. */
const MOST_REPEATS = 3;
/** Milliseconds before the first repetition. The pause doubles for each further one, and half of it is random. */
const REPEAT_PAUSE = 10;
/** Milliseconds in which this process opens no further connections after the server did not allow one. */
const SCARCE = 1_000;

const BEGIN = CompiledQuery.raw('begin');
const COMMIT = CompiledQuery.raw('commit');

export interface Transactions extends Pick<Database, 'write' | 'close'> {
  /** Runs one query outside of a transaction, on any connection. */
  execute: Execute;
}

interface Session {
  client: PoolClient;
  queries: Queries;
  /** How many queries of this transaction may have changed something. */
  changes: number;
  /** The error of the first query that failed in this transaction. It makes the later queries fail too. */
  firstFault: unknown;
}

export function createTransactions(
  { Pool }: typeof import('pg'),
  settings: PostgresSettings,
  ask: Ask,
  connections: number,
): Transactions {
  const pool = new Pool({
    ...clientConfig(settings),
    max: connections,
    // pg awaits the result of this function, although its types do not say so.
    onConnect: (client) => setUpSession(client, settings) as unknown as undefined,
  });
  // A connection that ends is replaced when the next one is needed. A transaction on it fails at its next query.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const pace = createPace(PACE_AT_FIRST / connections);
  const sessions = new WeakMap<PoolClient, Session>();
  let scarceUntil = 0;

  async function acquire(): Promise<Session> {
    if (pool.waitingCount >= MOST_WAITING && pace.timeFor(pool.waitingCount) > LONGEST_WAIT) {
      throw new WriteQueueFull('too many transactions wait');
    }
    const client = await takeClient();
    let session = sessions.get(client);
    if (session === undefined) {
      session = sessionOn(client, ask);
      sessions.set(client, session);
    }
    return session;
  }

  /** Takes a connection. If the server allows no further one, waits for one of those that this process has. */
  async function takeClient(): Promise<PoolClient> {
    if (performanceNow() > scarceUntil) pool.options.max = connections;
    try {
      return await pool.connect();
    } catch (error) {
      if (sqlStateOf(error) !== TOO_MANY_CONNECTIONS || pool.totalCount === 0) throw toConnectFault(error);
    }
    pool.options.max = Math.min(pool.options.max, pool.totalCount);
    scarceUntil = performanceNow() + SCARCE;
    return await takeClient();
  }

  async function once<T>(work: (trx: Queries, changes: () => number) => Promise<T>): Promise<T> {
    const session = await acquire();
    const { client, queries } = session;
    session.firstFault = undefined;
    session.changes = 0;
    const begin = performanceNow();
    try {
      // Not awaited: the first query follows directly, and fails if this fails.
      ask(client, BEGIN, []).catch((error: unknown) => (session.firstFault ??= toFault(error)));
      const value = await work(queries, () => session.changes);
      await commit(session, ask);
      client.release();
      return value;
    } catch (error) {
      await giveBack(client, error);
      throw error;
    } finally {
      pace.observe((performanceNow() - begin) / connections, 1);
    }
  }

  async function repeatedly<T>(work: (trx: Queries) => Promise<T>): Promise<T> {
    for (let repeat = 0; ; repeat++) {
      try {
        return await once(work);
      } catch (error) {
        if (!(error instanceof TransactionLost) || repeat === MOST_REPEATS) throw error;
        await sleep(REPEAT_PAUSE * 2 ** repeat * (0.5 + Math.random()));
      }
    }
  }

  const ofOwners = createOwnerQueues({ once, repeatedly });

  return {
    write: (work, turn) => (turn === undefined ? repeatedly(work) : ofOwners.write(turn, work)),
    async execute(query) {
      const { client } = await acquire();
      try {
        const result = await executeOn(client, query);
        client.release();
        return result;
      } catch (error) {
        if (error instanceof ConnectionLost) discard(client);
        else client.release();
        throw error;
      }
    },
    async close() {
      await ofOwners.idle();
      await pool.end();
    },
  };
}

function sessionOn(client: PoolClient, ask: Ask): Session {
  const queries = kyselyOver((query) => {
    count(query);
    return failingAlike(session, executeOn(client, query));
  });
  const session: Session = { client, queries, changes: 0, firstFault: undefined };
  const count = ({ query: { kind } }: CompiledQuery) => {
    if (kind !== 'SelectQueryNode') session.changes++;
  };
  runDirectly(queries, (query, parameters) => {
    count(query);
    return failingAlike(session, ask(client, query, parameters));
  });
  sendsAhead(queries);
  return session;
}

/** Rejects with the fault of the transaction's first failure. */
async function failingAlike<T>(session: Session, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw (session.firstFault ??= toFault(error));
  }
}

async function executeOn(client: PoolClient, query: CompiledQuery): Promise<QueryResult<unknown>> {
  sendAsked(client);
  try {
    const { rows, rowCount, command } = await client.query(query.sql, query.parameters as unknown[]);
    if (command === 'SELECT' || rowCount === null) return { rows };
    return { rows, numAffectedRows: BigInt(rowCount) };
  } catch (error) {
    throw toFault(error);
  }
}

/**
 * Commits. Without an answer it is unknown whether the commit has happened. That is a storage fault, and the transaction does
 * not run again: only the client, with its `Idempotency-Key`, can repeat it safely.
 */
async function commit(session: Session, ask: Ask): Promise<void> {
  try {
    await ask(session.client, COMMIT, []);
  } catch (error) {
    throw (session.firstFault ??= toFault(error));
  }
  // For example because `work` did not wait for the query that failed.
  if (session.firstFault !== undefined) {
    const fault: unknown = session.firstFault;
    throw fault;
  }
}

async function giveBack(client: PoolClient, error: unknown): Promise<void> {
  if (error instanceof ConnectionLost) {
    discard(client);
    return;
  }
  sendAsked(client);
  try {
    await client.query('rollback');
    client.release();
  } catch {
    // The first failure is the reason.
    discard(client);
  }
}

function discard(client: PoolClient): void {
  cut(client);
  client.release(true);
}
