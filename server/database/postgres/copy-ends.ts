import type { Client } from 'pg';
import type { CopySource, CopyTarget } from '../copy/ends.js';
import type { OpenOptions } from '../database.js';
import { type Kind, TABLES, type TableName, tableNames, tableOf } from '../tables.js';
import { needsMigration, UnusableDatabase } from '../unusable.js';
import { ConnectionLost, sqlStateOf, toFault } from './faults.js';
import { migrate, pendingOf } from './migrate.js';
import { explained } from './open-errors.js';
import { readerOver, rowsOf } from './reader.js';
import { requireFit } from './server-settings.js';
import { connect, cut, type PostgresSettings, toSettings } from './session.js';

const ARRAYS: Record<Kind, string> = { integer: 'bigint[]', text: 'text[]', bytes: 'bytea[]' };
const LOCK_NOT_AVAILABLE = '55P03';

/** Opens the database at `url`. Rejects with `UnusableDatabase` if it is not a database of this version. */
export async function openPostgresSource(url: string, options: OpenOptions): Promise<CopySource> {
  const settings = toSettings(url, options);
  return await explained(settings, async () => {
    const client = await begin(settings, 'isolation level repeatable read read only');
    try {
      await requireFit(client);
      if ((await pendingOf(client, settings)).length > 0) throw needsMigration(settings.shown);
      return sourceOver(settings, client);
    } catch (error) {
      cut(client);
      throw toFault(error);
    }
  });
}

/** Opens the database at `url`, which is migrated if it is not. Nobody else can write to its tables until `close`. */
export async function openPostgresTarget(url: string, options: OpenOptions): Promise<CopyTarget> {
  const settings = toSettings(url, options);
  return await explained(settings, async () => {
    await migrate(settings, { ...options, migrate: 'start' });
    const client = await begin(settings);
    try {
      await client.query(`lock table ${tableNames.join(', ')} in exclusive mode`);
      return targetOver(settings, client);
    } catch (error) {
      cut(client);
      if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) {
        throw new UnusableDatabase(`database ${settings.shown} is in use by another process`);
      }
      throw toFault(error);
    }
  });
}

async function begin(settings: PostgresSettings, mode = ''): Promise<Client> {
  const client = await connect(settings);
  await client.query(
    `begin ${mode}; set local statement_timeout to 0; set local idle_in_transaction_session_timeout to 0`,
  );
  return client;
}

function sourceOver({ shown }: PostgresSettings, client: Client): CopySource {
  return {
    shown,
    ...readerOver(client),
    async highestIdOf(table) {
      const [[id] = []] = await rowsOf(client, `select coalesce(pg_sequence_last_value(${SEQUENCE}), 0)`, [table]);
      return Number(id);
    },
    async close() {
      // The server rolls the transaction back when the connection ends.
      await client.end().catch(() => undefined);
    },
  };
}

const SEQUENCE = `pg_get_serial_sequence($1, 'id')::regclass`;

function targetOver(settings: PostgresSettings, client: Client): CopyTarget {
  return {
    ...sourceOver(settings, client),
    async insert(table, rows) {
      const columns = Object.keys(tableOf(table).columns);
      const values = columns.map((_, place) => rows.map((row) => row[place]));
      await rowsOf(client, insertion(table), values);
    },
    async keepHighestId(table, id) {
      if (id > 0) await rowsOf(client, `select setval(${SEQUENCE}, $2::bigint)`, [table, id]);
    },
    async commit() {
      // Without statistics, the server would plan the first queries for small tables.
      await rowsOf(client, `analyze ${tableNames.join(', ')}`);
      try {
        await rowsOf(client, 'commit');
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        throw new UnusableDatabase(
          `the connection to ${settings.shown} was lost at the commit: it has all rows or none; repeat the copy, which rejects a database that has rows`,
        );
      }
    },
  };
}

/** An insert of many rows, which takes an array of the values of each column. */
function insertion(table: TableName): string {
  const columns = Object.entries<Kind>(TABLES[table].columns);
  const names = columns.map(([column]) => column).join(', ');
  const arrays = columns.map(([, kind], place) => `$${String(place + 1)}::${ARRAYS[kind]}`).join(', ');
  return `insert into ${table} (${names}) select * from unnest(${arrays})`;
}
