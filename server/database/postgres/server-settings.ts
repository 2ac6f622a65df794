import type { Client } from 'pg';
import { UnusableDatabase } from '../unusable.js';
import { rowsOf } from './reader.js';

const OLDEST_SERVER = 140_000;

/** Rejects with `UnusableDatabase` if the service cannot run on the server or the database. */
export async function requireFit(client: Client): Promise<void> {
  const [reason] = await unfitness(client);
  if (reason !== undefined) throw new UnusableDatabase(reason);
}

/** Calls `onWarning` with a sentence if the server may lose changes whose requests were answered. */
export async function warnOfSettings(client: Client, onWarning: (warning: string) => void): Promise<void> {
  const { rows } = await client.query<{ fsync: string }>("select current_setting('fsync') as fsync");
  if (rows[0]?.fsync === 'off') onWarning(FSYNC_IS_OFF);
}

async function unfitness(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ version: number; name: string; encoding: string }>(`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
      current_setting('server_encoding') as encoding
  `);
  const [{ version, name, encoding } = { version: 0, name: '', encoding: '' }] = rows;
  return [
    ...(version < OLDEST_SERVER ? [`PostgreSQL ${name} is too old: it must be 14 or newer`] : []),
    ...(encoding === 'UTF8' ? [] : [`the database has the encoding ${encoding}: it must have UTF8`]),
  ];
}

/** What a server's settings mean for the database: a fault can lose data, and a warning is for the operator to judge. */
export interface SettingsReport {
  faults: string[];
  warnings: string[];
}

const FSYNC_IS_OFF = 'fsync is off: when the machine of PostgreSQL fails, all data may be lost or damaged';

/** Selects the defaults of the settings, because each session of the service changes some of them for itself. */
const SETTINGS = `
  select name, coalesce(reset_val, '') from pg_settings where name in (
    'default_transaction_read_only', 'fsync', 'full_page_writes', 'max_connections', 'superuser_reserved_connections', 'synchronous_commit', 'synchronous_standby_names')`;

/** Checks the settings of the server. One process of the service may have `connections` connections. */
export async function checkSettings(client: Client, connections: number): Promise<SettingsReport> {
  const settings = new Map((await rowsOf(client, SETTINGS)).map(([name, value]) => [String(name), String(value)]));
  const isOff = (name: string) => settings.get(name) === 'off';
  const faults = await unfitness(client);
  const warnings: string[] = [];
  if (isOff('fsync')) faults.push(FSYNC_IS_OFF);
  if (isOff('synchronous_commit')) {
    faults.push(
      'synchronous_commit is off: a crash of PostgreSQL loses the latest commits; the service turns it on for its own sessions, which does not last with PgBouncer in transaction mode',
    );
  }
  if (settings.get('default_transaction_read_only') === 'on') {
    faults.push('default_transaction_read_only is on: nothing can be written');
  }
  if (isOff('full_page_writes')) {
    warnings.push(
      'full_page_writes is off: a crash of the machine of PostgreSQL may damage pages, unless its file system writes each page whole',
    );
  }
  if (settings.get('synchronous_standby_names') !== '' && settings.get('synchronous_commit') === 'local') {
    warnings.push('synchronous_commit is local: a standby may lack the latest commits, revocations among them');
  }
  const most = Number(settings.get('max_connections')) - Number(settings.get('superuser_reserved_connections'));
  const [[used] = []] = await rowsOf(client, 'select sum(numbackends) from pg_stat_database');
  if (most - Number(used) < connections) {
    warnings.push(
      `${String(used)} of ${String(most)} connections are in use (max_connections): another process of the service may need ${String(connections)}`,
    );
  }
  return { faults, warnings };
}
