import { isIP } from 'node:net';

/** What a URL of PostgreSQL says. */
export interface PostgresUrl {
  /** A host's name or address, or the folder of a socket. */
  host: string;
  port: number;
  user: string;
  /** Null where the URL has none. */
  password: string | null;
  database: string;
  tls: Tls;
  /** Whether statements are prepared by name, which a PgBouncer before 1.21 cannot do. */
  prepare: boolean;
  /** The URL without its password and parameters, for people. */
  shown: string;
}

/** How much of TLS is asked for: as `sslmode` of libpq says it, of which `allow` and `prefer` are no promise. */
export type Tls =
  | { mode: 'disable' }
  | { mode: 'require' | 'verify-ca' | 'verify-full'; rootCertificate: string | null };

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const PARAMETERS = ['sslmode', 'sslrootcert', 'host', 'prepare'];

/** Whether `database` is meant as a URL of PostgreSQL, and not as a file's path. */
export function isPostgresUrl(database: string): boolean {
  return /^postgres(ql)?:/i.test(database);
}

/**
 * Reads `postgres://user@host:5432/database?sslmode=verify-full`. Parameters: `sslmode`, `sslrootcert` (a file), `host` (a
 * socket's folder) and `prepare`. Undefined where it is no such URL.
 *
 * Without `sslmode` a server on this machine is talked to in plain text, and one on another machine has to prove itself.
 */
export function parsePostgresUrl(text: string): PostgresUrl | undefined {
  if (!/^postgres(ql)?:\/\//i.test(text) || text.includes('\0')) return undefined;
  // A URL without a host, as for a socket, is none to the parser of the web unless there is something in its place.
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
    // As every client of PostgreSQL has it.
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

/** Undefined where the escapes are malformed. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
