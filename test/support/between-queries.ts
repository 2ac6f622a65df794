import type { Queries } from '../../server/database/index.js';

/** The same database for readers, where `happen` comes to its end after the first query and before the next one. */
export function afterFirstQuery(read: Queries, happen: () => Promise<void>): Queries {
  let queries = 0;
  return read.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      queries += 1;
      if (queries === 1) await happen();
      return result;
    },
  });
}
