import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

/**
 * Creates a real database that counts its transactions, and its queries outside of transactions. Queries that look for
 * events to link do not count, because they run at their own times.
 */
export function createCountingDatabase(): {
  open(path: string): Promise<Database>;
  queries(): number;
  transactions(): number;
} {
  let queries = 0;
  let transactions = 0;
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    // `transformQuery` is no place for this: building a prepared query calls it too.
    transformResult({ result }) {
      queries++;
      return Promise.resolve(result);
    },
  };
  return {
    async open(path) {
      const db = await openDatabase(path);
      const read = db.read.withPlugin(counter);
      runDirectly(read, (query, parameters) => {
        if (!query.sql.includes('audit_events')) queries++;
        return runCompiled(db.read, query, parameters);
      });
      return {
        ...db,
        read,
        write(work) {
          transactions++;
          return db.write(work);
        },
      };
    },
    queries: () => queries,
    transactions: () => transactions,
  };
}
