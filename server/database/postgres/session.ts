import { readFileSync } from 'node:fs';
import type { Client, ClientBase, ClientConfig, PoolConfig } from 'pg';
import { type PostgresUrl, parsePostgresUrl } from '../../config/postgres-url.js';
import type { OpenOptions } from '../database.js';
import { UnusableDatabase } from '../unusable.js';
import { ConnectionLost, IsStandby, toFault } from './faults.js';

/** The address of a database, and the user and schema to use. */
export interface PostgresSettings extends PostgresUrl {
  passwordFile: string | null;
  schema: string;
}

const SCHEMA = 'public';
/** Connections for transactions, unless the operator says otherwise. */
export const CONNECTIONS = 10;
export const LOOKUP_CONNECTIONS = 2;

/** Throws `UnusableDatabase` if `url` is not a URL of PostgreSQL. */
export function toSettings(
  url: string,
  { passwordFile = null, schema = SCHEMA }: Pick<OpenOptions, 'passwordFile' | 'schema'>,
): PostgresSettings {
  const address = parsePostgresUrl(url);
  if (address === undefined)
    throw new UnusableDatabase('the database must be a URL such as postgres://user@host:5432/name');
  return { ...address, passwordFile, schema };
}

/** Milliseconds in which a connection must be open. */
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds in which a connection must answer. The server itself ends a statement after 5 seconds. */
const ANSWER_TIMEOUT = 6_000;
/** The option of a query that may take hours, such as creating an index. The number is a timer's longest time. */
export const WITHOUT_TIMEOUT = { query_timeout: 2 ** 31 - 1 };

/**
 * Loads the driver. It is not imported at the top, because it need not be installed for SQLite. Rejects with
 * `UnusableDatabase` if it is not installed.
 */
export async function loadDriver(): Promise<typeof import('pg')> {
  try {
    return await import('pg');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new UnusableDatabase('PostgreSQL needs the package pg beside latchkey: npm install pg', { cause: error });
    }
    throw error;
  }
}

/**
 * The driver's configuration. It is complete, because the driver would read what is missing from the environment and from
 * the user's home.
 */
export function clientConfig(settings: PostgresSettings): ClientConfig {
  const { host, port, user, database, tls } = settings;
  return {
    host,
    port,
    user,
    database,
    // A function, so that the driver reads the password at each connect and a new one needs no restart.
    password: () => passwordOf(settings),
    ssl: tls.mode === 'disable' ? false : tlsOptions(tls),
    application_name: 'latchkey',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: ANSWER_TIMEOUT,
    // The statements of one connection need not wait for each other's answers.
    pipeline: true,
    types: { getTypeParser: parserOf as NonNullable<PoolConfig['types']>['getTypeParser'] },
  };
}

/** Returns the password. Throws the system's error if the file with the password cannot be read. */
export function passwordOf({ passwordFile, password }: PostgresSettings): string {
  return passwordFile === null ? (password ?? '') : readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
}

function tlsOptions({ mode, rootCertificate }: Exclude<PostgresSettings['tls'], { mode: 'disable' }>) {
  return {
    ...(rootCertificate !== null && { ca: authorityIn(rootCertificate) }),
    // As in libpq, `require` with the certificate of an authority checks the server's certificate as `verify-ca` does.
    rejectUnauthorized: mode !== 'require' || rootCertificate !== null,
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

/** Throws the system's error if the file cannot be read, and `UnusableDatabase` if it has no certificate. */
function authorityIn(path: string): string {
  const text = readFileSync(path, 'utf8');
  // Node accepts any text, and would then trust no authority.
  if (!text.includes('-----BEGIN')) throw new UnusableDatabase(`the file ${path} has no certificate in PEM`);
  return text;
}

const BYTEA = 17;
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);

/**
 * The parser of a type. The driver's own table is not used: a program that embeds the service shares that table, and may
 * have changed it.
 */
export function parserOf(oid: number): (text: string) => unknown {
  if (NUMBERS.has(oid)) return Number;
  if (oid === BYTEA) return (text) => Buffer.from(text.slice(2), 'hex');
  return (text) => text;
}

/** The settings of each session, because the defaults of server and role can be any. They are sent in one message. */
const SESSION = [
  "set client_encoding to 'UTF8'",
  "set timezone to 'UTC'",
  "set default_transaction_isolation to 'read committed'",
  "set statement_timeout to '5s'",
  "set lock_timeout to '2s'",
  "set idle_in_transaction_session_timeout to '10s'",
  // An answered write must be on disk.
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
];

/** Sets up a new session. Rejects with `IsStandby` if the server is a standby, because a standby may lack the latest commits. */
export async function setUpSession(client: ClientBase, { schema }: Pick<PostgresSettings, 'schema'>): Promise<void> {
  const statements = [...SESSION, `set search_path to "${schema}"`, 'select pg_is_in_recovery() as standby'];
  const results = (await client.query(statements.join(';'))) as unknown as { rows: { standby: string }[] }[];
  if (results.at(-1)?.rows[0]?.standby === 't') throw new IsStandby('the server is a standby');
}

/** Opens a connection outside of the pool. Rejects with `ConnectionLost`. */
export async function connect(settings: PostgresSettings): Promise<Client> {
  const { Client: PgClient } = await loadDriver();
  const client = new PgClient(clientConfig(settings));
  // Without a listener, the end of an idle connection would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await setUpSession(client, settings);
    return client;
  } catch (error) {
    cut(client);
    throw toConnectFault(error);
  }
}

/** Converts the error of a session that could not begin to `ConnectionLost`, whatever the reason is. */
export function toConnectFault(error: unknown): unknown {
  const fault = toFault(error);
  return fault instanceof Error && !(fault instanceof ConnectionLost)
    ? new ConnectionLost(fault.message, { cause: error })
    : fault;
}

/** Ends a connection without waiting for the server, which may not answer any more. */
export function cut(client: ClientBase): void {
  const { connection } = client as unknown as { connection: { _ending: boolean; stream: { destroy(): void } } };
  connection.stream.destroy();
}
