import type SqliteDriver from 'better-sqlite3';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely';
import type { Run } from '../prepared.js';
import type { Queries, Schema } from '../schema.js';
import { isBusy } from './faults.js';

type Connection = SqliteDriver.Database;

/** The most prepared statements that a connection remembers. */
const STATEMENTS_KEPT = 200;

/** Counts the statements of a connection that may have changed something. */
export interface Changes {
  count: number;
}

/** Creates Kysely for the one connection that writes. */
export function kyselyOver(connection: Connection, changes: Changes): Queries {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: rememberingStatements(connection, changes) }) });
}

/** Creates Kysely for a connection that only reads. */
export function readingKyselyOver(connection: Connection): Queries {
  return new Kysely<Schema>({ dialect: new ReadingDialect(connection) });
}

/** Reads committed data. */
export interface Reading {
  run: Run;
  /** As `Database.readTogether`. */
  together(work: () => void): void;
}

/**
 * Reads on `writer` while `writer` does not write, and otherwise on `reader`. `writer` is faster: SQLite empties the page
 * cache of `reader` after each commit of `writer`.
 */
export function readingOver(writer: Connection, byWriter: Run, reader: Connection): Reading {
  const byReader = runOver(reader, { count: 0 });
  const begin = writer.prepare('begin');
  const end = writer.prepare('commit');
  let isTogether = false;

  /** Begins a transaction, in which reads lock the snapshot once. To lock it takes half of the time of a look-up by key. */
  function locks(): boolean {
    try {
      begin.run();
      return true;
    } catch {
      // The connection is closed or broken. Each read fails on its own, and its request gets the error.
      return false;
    }
  }

  function release(): void {
    isTogether = false;
    // Some faults end the transaction.
    if (writer.inTransaction) end.run();
  }

  return {
    run(query, parameters) {
      if (writer.inTransaction && !isTogether) return byReader(query, parameters);
      try {
        return byWriter(query, parameters);
      } catch (error) {
        // The writer's connection waits 5 ms for a lock, the reader's 100 ms.
        if (!isBusy(error)) throw error;
        return byReader(query, parameters);
      }
    },
    together(work) {
      if (writer.inTransaction || !locks()) {
        work();
        return;
      }
      isTogether = true;
      try {
        work();
      } finally {
        release();
      }
    },
  };
}

/**
 * Returns the `Run` of a connection. Each row is read as an array and then made an object, because the driver would
 * take 1.5 times as long to make the object.
 */
export function runOver(connection: Connection, changes: Changes): Run {
  const statements = new WeakMap<CompiledQuery, (parameters: readonly unknown[]) => unknown[]>();
  return (query, parameters) => {
    let run = statements.get(query);
    if (run === undefined) {
      run = runStatement(connection.prepare(query.sql), changes);
      statements.set(query, run);
    }
    return run(parameters);
  };
}

function runStatement(
  statement: SqliteDriver.Statement,
  changes: Changes,
): (parameters: readonly unknown[]) => unknown[] {
  const mayChange = statement.readonly ? 0 : 1;
  if (!statement.reader) {
    return (parameters) => {
      statement.run(...parameters);
      changes.count += mayChange;
      return [];
    };
  }
  statement.raw();
  const toRow = rowMaker(statement.columns().map(({ name }) => name));
  return (parameters) => {
    const rows = statement.all(...parameters);
    changes.count += mayChange;
    for (let index = 0; index < rows.length; index++) rows[index] = toRow(rows[index] as unknown[]);
    return rows;
  };
}

/**
 * Returns a function that makes an object of a row's values. All its objects have the same members in the same order.
 * The names become code: they come from this program's own queries.
 */
function rowMaker(names: string[]): (values: unknown[]) => unknown {
  const members = names.map((name, index) => `${JSON.stringify(name)}: values[${String(index)}]`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a loop over the names would make slow objects
  return new Function('values', `return { ${members.join(', ')} }`) as (values: unknown[]) => unknown;
}

/**
 * A connection for Kysely's driver that prepares each query once. Kysely's driver asks to prepare a query at every run.
 */
function rememberingStatements(connection: Connection, changes: Changes): SqliteDatabase {
  const statements = new Map<string, SqliteDriver.Statement & SqliteStatement>();
  return {
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = connection.prepare(sql);
        if (statements.size >= STATEMENTS_KEPT) statements.clear();
        statements.set(sql, statement);
      }
      if (!statement.readonly) changes.count += 1;
      return statement;
    },
    close() {
      connection.close();
    },
  };
}

/**
 * Kysely's dialect with a driver without a lock. Kysely's own driver locks its connection for each query, and wakes all
 * waiting queries after each query. A connection that only reads needs no lock, because it has no transactions.
 */
class ReadingDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(connection: Connection) {
    const database = rememberingStatements(connection, { count: 0 });
    super({ database });
    this.#database = database;
  }

  override createDriver(): Driver {
    const done = Promise.resolve();
    const rejectWrite = () => Promise.reject(new TypeError('this connection only reads'));
    const connection: DatabaseConnection = {
      executeQuery: ({ sql, parameters }: CompiledQuery) =>
        Promise.resolve({ rows: this.#database.prepare(sql).all(parameters) as never[] }),
      streamQuery() {
        throw new TypeError('this connection does not stream');
      },
    };
    return {
      init: () => done,
      acquireConnection: () => Promise.resolve(connection),
      beginTransaction: rejectWrite,
      commitTransaction: rejectWrite,
      rollbackTransaction: rejectWrite,
      releaseConnection: () => done,
      destroy: () => done,
    };
  }
}
