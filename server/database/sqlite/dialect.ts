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

const STATEMENTS_KEPT = 200;

/** Kysely over the one connection that writes. */
export function kyselyOver(connection: Connection): Queries {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: rememberingStatements(connection) }) });
}

/** Kysely over a connection that only reads. */
export function readingKyselyOver(connection: Connection): Queries {
  return new Kysely<Schema>({ dialect: new ReadingDialect(connection) });
}

/**
 * Reads what is committed by `writer` while that has no transaction open, and else by `reader`: a connection that learns
 * of another one's commit forgets all pages that it knows, and reads anew what it looks up next.
 */
export function readingOver(writer: Connection, byWriter: Run, reader: Connection): Run {
  const byReader = runOver(reader);
  return (query, parameters) => {
    if (writer.inTransaction) return byReader(query, parameters);
    try {
      return byWriter(query, parameters);
    } catch (error) {
      // It has less patience than the reader.
      if (!isBusy(error)) throw error;
      return byReader(query, parameters);
    }
  };
}

/** Reads each row as an array first, since the driver takes half as long again to make objects of them. */
export function runOver(connection: Connection): Run {
  const statements = new WeakMap<CompiledQuery, (parameters: readonly unknown[]) => unknown[]>();
  return (query, parameters) => {
    let run = statements.get(query);
    if (run === undefined) {
      run = runStatement(connection.prepare(query.sql));
      statements.set(query, run);
    }
    return run(parameters);
  };
}

function runStatement(statement: SqliteDriver.Statement): (parameters: readonly unknown[]) => unknown[] {
  if (!statement.reader) {
    return (parameters) => {
      statement.run(...parameters);
      return [];
    };
  }
  statement.raw();
  const toRow = rowMaker(statement.columns().map(({ name }) => name));
  return (parameters) => {
    const rows = statement.all(...parameters);
    for (let index = 0; index < rows.length; index++) rows[index] = toRow(rows[index] as unknown[]);
    return rows;
  };
}

/** A function whose every object has the same members in the same order. The names are those of this program's queries. */
function rowMaker(names: string[]): (values: unknown[]) => unknown {
  const members = names.map((name, index) => `${JSON.stringify(name)}: values[${String(index)}]`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a loop over the names would make slow objects
  return new Function('values', `return { ${members.join(', ')} }`) as (values: unknown[]) => unknown;
}

/** Kysely's driver prepares each query anew; a statement that was prepared before can be run again. */
function rememberingStatements(connection: Connection): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = connection.prepare(sql);
        if (statements.size >= STATEMENTS_KEPT) statements.clear();
        statements.set(sql, statement);
      }
      return statement;
    },
    close() {
      connection.close();
    },
  };
}

/**
 * Kysely's own driver lends its one connection to one query after the other, behind a lock that wakes all who wait at
 * each turn. A connection that only reads has no transactions to keep apart.
 */
class ReadingDialect extends SqliteDialect {
  readonly #database: SqliteDatabase;

  constructor(connection: Connection) {
    const database = rememberingStatements(connection);
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
