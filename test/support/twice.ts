import type { KyselyPlugin } from 'kysely';
import { type Database, openDatabase } from '../../server/database/index.js';
import { TransactionLost } from '../../server/database/postgres/faults.js';
import { runCompiled, runDirectly } from '../../server/database/prepared.js';

/**
 * The real PostgreSQL, which does each transaction twice, as after a deadlock: the first time it is undone at its end. It
 * tells what each locked before it asked anything else.
 */
export function createRepeatingDatabase(): {
  open(database: string): Promise<Database>;
  /** The locks of each transaction since the last call, in their order, and each once where both times were alike. */
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
      // Not when a query is transformed: building a prepared one does that too.
      transformResult({ result }) {
        isLocking = false;
        return Promise.resolve(result);
      },
    };
    const traced = trx.withPlugin(recorder);
    runDirectly(traced, async (query, parameters) => {
      if (query.sql.includes('"audit_heads"')) linking.isSeen = true;
      // What finds an owner by something that stays with them is asked before the lock.
      if (!/^select \S+( as)?( "owner_id")?(, "organization_id")? from/.test(query.sql) || query.sql.endsWith('update'))
        note(lockOf(query.sql, parameters));
      return await runCompiled(trx, query, parameters);
    });
    const result = await work(traced);
    runs.push(locks);
    if (runs.length === 1) throw new TransactionLost('done once more, for this test');
    return result;
  });
  const [first = [], second = []] = runs;
  // Events are linked from time to time, whatever else is done.
  if (!linking.isSeen)
    tell(JSON.stringify(first) === JSON.stringify(second) ? first : ['different locks', ...first, 'and', ...second]);
  return value as T;
}

function lockOf(sql: string, parameters: readonly unknown[]): string | undefined {
  // It is locked by what changes it.
  if (/^(insert into|update) "login_attempts"/.test(sql)) return 'attempts';
  if (!sql.endsWith(' for no key update')) return undefined;
  if (sql.includes('"access_tokens"')) return `tokens ${String(parameters[0])}`;
  return sql.includes('"organizations"') ? 'organization' : `owner ${String(parameters[0])}`;
}
