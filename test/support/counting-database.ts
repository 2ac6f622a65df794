import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

/** The tables that a process looks at by itself, whatever is asked. */
const OF_BACKGROUND = /"(audit_events|jobs|leak_reports|outgoing_mails|webhooks|webhook_deliveries)"/;

/**
 * Creates a real database that counts its transactions, and its queries outside of transactions. Queries of
 * background work do not count, because they run at their own times.
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
        if (!OF_BACKGROUND.test(query.sql)) queries++;
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
