import { CompiledQuery } from 'kysely';
import { parsePostgresUrl } from '../../config/postgres-url.js';
import type { Database, OpenOptions } from '../database.js';
import { runCompiled, runDirectly } from '../prepared.js';
import { DatabaseRefusal } from '../refusal.js';
import { kyselyOver } from './dialect.js';
import { createLookups, within } from './lookups.js';
import { migrate } from './migrate.js';
import { refusing } from './refusals.js';
import { loadDriver, type PostgresSettings } from './session.js';
import { createTransactions } from './transactions.js';

const CONNECTIONS = 10;
const SCHEMA = 'public';
/** Milliseconds in which the server must answer whoever asks whether it does. */
const PING_TIMEOUT = 1_000;
const PING = CompiledQuery.raw('select 1');

/**
 * Opens the database at `url` and brings its schema up to date. Rejects with `DatabaseRefusal` where it cannot be reached
 * or served.
 */
export async function openPostgres(
  url: string,
  {
    onWait = () => undefined,
    onProgress = () => undefined,
    migrate: when = 'start',
    passwordFile = null,
    connections = CONNECTIONS,
    schema = SCHEMA,
  }: OpenOptions,
): Promise<Database> {
  const address = parsePostgresUrl(url);
  if (address === undefined) throw new DatabaseRefusal('the database is no URL such as postgres://user@host:5432/name');
  const settings: PostgresSettings = { ...address, passwordFile, schema };
  await loadDriver();
  await refusing(settings, () => migrate(settings, { onWait, onProgress, migrate: when }));

  const lookups = createLookups(settings);
  const transactions = await createTransactions(settings, connections);
  const read = kyselyOver((query) => transactions.execute(query));
  runDirectly(read, lookups.run);
  return {
    read,
    write: (work) => transactions.write(work),
    async ping() {
      await within(PING_TIMEOUT, runCompiled(read, PING));
    },
    async close() {
      await Promise.all([lookups.close(), transactions.close()]);
    },
  };
}
