import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase } from '../../server/database/index.js';
import { TransactionLost } from '../../server/database/postgres/faults.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

/**
 * Creates a database on the real PostgreSQL that runs each transaction twice, as after a deadlock. The first run is rolled
 * back at its end. The database records which locks each transaction took before its other queries.
 */
export function createRepeatingDatabase(): {
  open(database: string): Promise<Database>;
  /** The locks of each transaction since the last call, in their order. If the two runs differ, the locks of both. */
  locks(): string[][];
} {
  let all: string[][] = [];
  return {
    async open(database) {
      const db = await openDatabase(database);
      return { ...db, write: (work) => writeTwice(db, work, (locks) => all.push(locks)) };
    },
    locks() {
      const taken = all;
      all = [];
      return taken;
    },
  };
}

/** What the service does without a request: it links events, makes deliveries of them, and sends these. */
const OF_ITSELF =
  /^(insert into|update) "audit_heads"|from "audit_(heads|events)".* for update|from "webhooks".* for update|^update "webhooks" set "(claimed_until|last_)/;

async function writeTwice<T>(
  db: Database,
  work: Parameters<Database['write']>[0],
  tell: (locks: string[]) => void,
): Promise<T> {
  const runs: string[][] = [];
  const linking = { isSeen: false };
  const value = await db.write(async (trx) => {
    const locks: string[] = [];
    let isLocking = true;
    const note = (lock: string | undefined) => {
      if (lock === undefined) isLocking = false;
      else locks.push(isLocking ? lock : `late: ${lock}`);
    };
    const recorder: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      // `transformQuery` is no place for this: building a prepared query calls it too.
      transformResult({ result }) {
        isLocking = false;
        return Promise.resolve(result);
      },
    };
    const traced = trx.withPlugin(recorder);
    runDirectly(traced, async (query, parameters) => {
      if (OF_ITSELF.test(query.sql)) linking.isSeen = true;
      // A query that finds an owner by something that never changes its owner may run before the lock.
      if (!/^select \S+( as)?( "owner_id")?(, "organization_id")? from/.test(query.sql) || query.sql.endsWith('update'))
        note(lockOf(query.sql, parameters));
      return await runCompiled(trx, query, parameters);
    });
    const result = await work(traced);
    runs.push(locks);
    if (runs.length === 1) throw new TransactionLost('the test runs each transaction twice');
    return result;
  });
  const [first = [], second = []] = runs;
  // Transactions that link events run at their own times, so they do not count.
  if (!linking.isSeen)
    tell(JSON.stringify(first) === JSON.stringify(second) ? first : ['different locks', ...first, 'and', ...second]);
  return value as T;
}

function lockOf(sql: string, parameters: readonly unknown[]): string | undefined {
  // A write of this table is its lock.
  if (/^(insert into|update) "login_attempts"/.test(sql)) return 'attempts';
  if (!sql.endsWith(' for no key update')) return undefined;
  if (sql.includes('"access_tokens"')) return `tokens ${String(parameters[0])}`;
  if (sql.includes('"secret_keys"')) return 'key';
  return sql.includes('"organizations"') ? 'organization' : `owner ${String(parameters[0])}`;
}
