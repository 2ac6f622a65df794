import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Row, RowReader } from '../rows.js';
import type { Connection } from './driver.js';

/** A Kysely that only compiles queries. */
const compiling = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/** Reads on one connection. */
export function readerOver(connection: Connection): RowReader {
  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- a fault rejects, as with any other engine
    async run(query) {
      const { sql, parameters } = query.compile(compiling);
      const statement = connection.prepare(sql);
      if (statement.reader) return statement.raw().all(...parameters) as Row[];
      statement.run(...parameters);
      return [];
    },
  };
}
