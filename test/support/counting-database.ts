import type { KyselyPlugin } from 'kysely';
import { type Build, type Database, openDatabase } from '../../server/database/index.js';

/** The real database, and how many queries it has been asked so far outside of transactions. */
export function createCountingDatabase(): { open(path: string): Promise<Database>; queries(): number } {
  let queries = 0;
  const counter: KyselyPlugin = {
    transformQuery({ node }) {
      queries++;
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  return {
    async open(path) {
      const db = await openDatabase(path);
      return {
        ...db,
        read: db.read.withPlugin(counter),
        async readPrepared<Values extends object, Row>(build: Build<Values, Row>, values: Values) {
          queries++;
          return await db.readPrepared(build, values);
        },
      };
    },
    queries: () => queries,
  };
}
