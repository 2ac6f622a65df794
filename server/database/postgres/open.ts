import { CompiledQuery } from 'kysely';
import type { Database, OpenOptions } from '../database.js';
import { runCompiled, runDirectly } from '../prepared.js';
import { kyselyOver } from './dialect.js';
import { createLookups, repeatedOnce, within } from './lookups.js';
import { migrate } from './migrate.js';
import { createAsk } from './named-query.js';
import { explained } from './open-errors.js';
import { CONNECTIONS, loadDriver, toSettings } from './session.js';
import { createTransactions } from './transactions.js';
import { createWatch } from './watch.js';

/** Milliseconds in which the server must answer a `ping`. */
const PING_TIMEOUT = 1_000;
const PING = CompiledQuery.raw('select 1');
const CLOCK = CompiledQuery.raw('select (extract(epoch from clock_timestamp()) * 1000)::float8 as instant');

/**
 * Opens the database at `url` and migrates its schema. Rejects with `UnusableDatabase` if the database cannot be reached or
 * used.
 */
export async function openPostgres(
  url: string,
  { connections = CONNECTIONS, ...options }: OpenOptions,
): Promise<Database> {
  const settings = toSettings(url, options);
  const driver = await loadDriver();
  await explained(settings, () => migrate(settings, options));

  const ask = createAsk(driver, settings.prepare);
  const lookups = createLookups(settings, ask);
  const transactions = createTransactions(driver, settings, ask, connections);
  const announcements = createWatch(settings);
  const read = kyselyOver((query) => repeatedOnce(() => transactions.execute(query)));
  runDirectly(read, lookups.run);
  return {
    read,
    readTogether: (work) => {
      work();
    },
    write: (work, turn) => transactions.write(work, turn),
    linksAtOnce: false,
    watch: announcements.watch,
    async ping() {
      await within(PING_TIMEOUT, runCompiled(read, PING));
    },
    async clock() {
      const [row] = (await runCompiled(read, CLOCK)) as { instant: number }[];
      return row?.instant ?? null;
    },
    async close() {
      announcements.close();
      await Promise.all([lookups.close(), transactions.close()]);
    },
  };
}
