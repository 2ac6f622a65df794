import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

/**
 * The real database, and how many queries it has been asked so far outside of transactions, and how many transactions. What links
 * events from time to time is not counted.
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
    // Not when a query is transformed: building a prepared query does that too.
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
