import { isIP } from 'node:net';

/** A PostgreSQL URL, parsed. */
export interface PostgresUrl {
  /** A host's name or address, or the folder of a socket. */
  host: string;
  port: number;
  user: string;
  /** Null if the URL has no password. */
  password: string | null;
  database: string;
  tls: Tls;
  /** Whether to prepare statements by name, which PgBouncer before 1.21 does not support. */
  prepare: boolean;
  /** The URL without its password and parameters, for people. */
  shown: string;
}

/** The required TLS, as `sslmode` of libpq. Its modes `allow` and `prefer` guarantee nothing, and are not supported. */
export type Tls =
  | { mode: 'disable' }
  | { mode: 'require' | 'verify-ca' | 'verify-full'; rootCertificate: string | null };

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = ['sslmode', 'sslrootcert', 'host', 'prepare'];

/** Whether `database` is a PostgreSQL URL and not the path of a file. */
export function isPostgresUrl(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * Parses a URL such as `postgres://user@host:5432/database?sslmode=verify-full`. Its parameters are `sslmode`,
 * `sslrootcert` (a file), `host` (the folder of a socket) and `prepare`. Returns undefined if `text` is no such URL.
 *
 * The default of `sslmode` is `disable` for a server on this machine, and `verify-full` for any other server.
 */
export function parsePostgresUrl(text: string): PostgresUrl | undefined {
  if (!/^postgres(ql)?:\/\//i.test(text) || text.includes('\0')) return undefined;
  // A URL for a socket has no host. The URL parser requires one, so it gets a placeholder.
  const withHost = text.replace(/^(\w+:\/\/(?:[^/?#@]*@)?)(?=[/?#]|$)/, '$1localhost');
  if (!URL.canParse(withHost)) return undefined;
  const url = new URL(withHost);
  const given = url.searchParams;
  const names = [...given.keys()];
  if (url.hash !== '' || new Set(names).size < names.length) return undefined;
  if (!names.every((name) => PARAMETERS.includes(name))) return undefined;

  const host = decoded(given.get('host') ?? url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const user = decoded(url.username);
  const password = decoded(url.password);
  const database = decoded(url.pathname.slice(1));
  const tls = tlsOf(host, given.get('sslmode'), given.get('sslrootcert'));
  const prepare = given.get('prepare') ?? 'true';
  if (host === undefined || user === undefined || password === undefined || database === undefined) return undefined;
  if (host === '' || user === '' || database.includes('/') || tls === undefined) return undefined;
  if (prepare !== 'true' && prepare !== 'false') return undefined;
  const port = url.port === '' ? 5_432 : Number(url.port);
  if (port === 0) return undefined;
  return {
    host,
    port,
    user,
    password: password === '' ? null : password,
    // The default of all PostgreSQL clients.
    database: database === '' ? user : database,
    tls,
    prepare: prepare === 'true',
    shown: `postgres://${url.username}@${host.startsWith('/') ? '' : url.host}/${database === '' ? user : database}`,
  };
}

function tlsOf(host: string | undefined, mode: string | null, rootCertificate: string | null): Tls | undefined {
  if (host === undefined || rootCertificate === '') return undefined;
  const known = MODES.find((each) => each === (mode ?? (isOnThisMachine(host) ? 'disable' : 'verify-full')));
  if (known === undefined) return undefined;
  if (known === 'disable') return rootCertificate === null ? { mode: known } : undefined;
  return { mode: known, rootCertificate };
}

function isOnThisMachine(host: string): boolean {
  return (
    host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  );
}

/** Undefined if the percent-encoding is malformed. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
