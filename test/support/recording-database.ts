import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase, type Queries } from '../../server/database/index.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

export interface Asked {
  sql: string;
  parameters: readonly unknown[];
}

/** Creates a real database that records each query once, by its text. */
export function createRecordingDatabase(): { open: typeof openDatabase; asked: Map<string, Asked> } {
  const asked = new Map<string, Asked>();

  function recording(queries: Queries): Queries {
    const executor = queries.getExecutor();
    const recorder: KyselyPlugin = {
      transformQuery({ node, queryId }) {
        const { sql, parameters } = executor.compileQuery(node, queryId);
        // A prepared query is built once, with placeholders for its values. It is recorded when it runs.
        if (!parameters.some(isPlace)) asked.set(sql, { sql, parameters });
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    };
    const traced = queries.withPlugin(recorder);
    runDirectly(traced, async (query, parameters) => {
      asked.set(query.sql, { sql: query.sql, parameters });
      return await runCompiled(queries, query, parameters);
    });
    return traced;
  }

  return {
    asked,
    async open(...args) {
      const db = await openDatabase(...args);
      const read = recording(db.read);
      const write: Database['write'] = (work) => db.write((trx) => work(recording(trx)));
      return { ...db, read, write };
    },
  };
}

function isPlace(parameter: unknown): boolean {
  return typeof parameter === 'object' && parameter?.constructor.name === 'Placeholder';
}
