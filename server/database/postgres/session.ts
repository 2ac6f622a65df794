import { readFileSync } from 'node:fs';
import type { Client, ClientBase, ClientConfig, PoolConfig } from 'pg';
import { type PostgresUrl, parsePostgresUrl } from '../../config/postgres-url.js';
import type { OpenOptions } from '../database.js';
import { DatabaseRefusal } from '../refusal.js';
import { ConnectionLost, IsStandby, toFault } from './faults.js';

/** Where a database is, and as who it is asked. */
export interface PostgresSettings extends PostgresUrl {
  passwordFile: string | null;
  schema: string;
}

const SCHEMA = 'public';
/** Connections for transactions, unless the operator says otherwise. */
export const CONNECTIONS = 10;
export const LOOKUP_CONNECTIONS = 2;

/** Throws `DatabaseRefusal` if `url` is not a URL of PostgreSQL. */
export function toSettings(
  url: string,
  { passwordFile = null, schema = SCHEMA }: Pick<OpenOptions, 'passwordFile' | 'schema'>,
): PostgresSettings {
  const address = parsePostgresUrl(url);
  if (address === undefined) throw new DatabaseRefusal('the database is no URL such as postgres://user@host:5432/name');
  return { ...address, passwordFile, schema };
}

/** Milliseconds until a connection must be made. */
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds after which a connection that does not answer is given up; the server ends a statement after 5 seconds. */
const ANSWER_TIMEOUT = 6_000;
/** Part of a query that may take hours, such as one that makes an index. The number is the longest that a timer takes. */
export const WITHOUT_TIMEOUT = { query_timeout: 2 ** 31 - 1 };

/**
 * The driver. It is loaded where it is needed, since who uses SQLite need not install it.
 * Rejects with `DatabaseRefusal` where it is missing.
 */
export async function loadDriver(): Promise<typeof import('pg')> {
  try {
    return await import('pg');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      throw new DatabaseRefusal('PostgreSQL needs the package pg beside latchkey: npm install pg', { cause: error });
    }
    throw error;
  }
}

/** All of it is said here: the driver would look for the rest in the environment and in the user's home. */
export function clientConfig(settings: PostgresSettings): ClientConfig {
  const { host, port, user, database, tls } = settings;
  return {
    host,
    port,
    user,
    database,
    // At each connect, so that a new password needs no restart.
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

/** Throws the system's error where the file with the password cannot be read. */
export function passwordOf({ passwordFile, password }: PostgresSettings): string {
  return passwordFile === null ? (password ?? '') : readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
}

function tlsOptions({ mode, rootCertificate }: Exclude<PostgresSettings['tls'], { mode: 'disable' }>) {
  return {
    ...(rootCertificate !== null && { ca: authorityIn(rootCertificate) }),
    // Whoever names an authority expects that it is asked for, so `require` then checks as `verify-ca` does, as in libpq.
    rejectUnauthorized: mode !== 'require' || rootCertificate !== null,
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

/** Throws the system's error where the file cannot be read, and `DatabaseRefusal` where it has no certificate. */
function authorityIn(path: string): string {
  const text = readFileSync(path, 'utf8');
  // Node takes any text, and then knows no authority.
  if (!text.includes('-----BEGIN')) throw new DatabaseRefusal(`the file ${path} has no certificate in PEM`);
  return text;
}

const BYTEA = 17;
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** By its own table: a program that embeds the service shares the driver's, and may have changed it. */
export function parserOf(oid: number): (text: string) => unknown {
  if (NUMBERS.has(oid)) return Number;
  if (oid === BYTEA) return (text) => Buffer.from(text.slice(2), 'hex');
  return (text) => text;
}

/** What each session says of itself, in one message: the server's and the role's defaults may be anything. */
const SESSION = [
  "set client_encoding to 'UTF8'",
  "set timezone to 'UTC'",
  "set default_transaction_isolation to 'read committed'",
  "set statement_timeout to '5s'",
  "set lock_timeout to '2s'",
  "set idle_in_transaction_session_timeout to '10s'",
  // What is answered is on disk.
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
];

/** Makes a new session ready. Rejects with `IsStandby` where it is one of a standby, whose answers lag behind. */
export async function setUpSession(client: ClientBase, { schema }: Pick<PostgresSettings, 'schema'>): Promise<void> {
  const statements = [...SESSION, `set search_path to "${schema}"`, 'select pg_is_in_recovery() as standby'];
  const results = (await client.query(statements.join(';'))) as unknown as { rows: { standby: string }[] }[];
  if (results.at(-1)?.rows[0]?.standby === 't') throw new IsStandby('the server is a standby');
}

/** Opens a connection of its own. Rejects with `ConnectionLost`. */
export async function connect(settings: PostgresSettings): Promise<Client> {
  const { Client: PgClient } = await loadDriver();
  const client = new PgClient(clientConfig(settings));
  // Else the end of an idle connection would end the process.
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

/** A session that could not begin: whatever the reason, the way to the store is barred. */
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
