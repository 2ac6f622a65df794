import { UnusableDatabase } from '../unusable.js';
import { IsStandby, sqlStateOf } from './faults.js';
import type { PostgresSettings } from './session.js';

/** Runs `start`. Any error becomes an `UnusableDatabase`, whose message is one sentence without a password. */
export async function explained<T>(settings: PostgresSettings, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof UnusableDatabase) throw error;
    // The error gets no `cause`, because the driver's error contains the settings.
    throw new UnusableDatabase(`cannot open database ${settings.shown}: ${reasonOf(error, settings)}`);
  }
}

const BY_STATE: Record<string, string> = {
  '28P01': 'the user or the password is wrong',
  '3D000': 'there is no such database on that server',
  '42501': 'the user lacks rights, such as to create tables in the schema',
  '53300': 'the server has too many connections',
  '57P03': 'the server is starting or stopping',
};

const BY_CODE: Record<string, string> = {
  ECONNREFUSED: 'no server listens there',
  ENOENT: 'there is no such socket or file',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the host cannot be reached',
  ETIMEDOUT: 'the host does not answer',
  ECONNRESET: 'what listens there ended the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed: name it with ?sslrootcert=FILE",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is of an unknown authority: name that with ?sslrootcert=FILE",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the server's certificate is of an unknown authority: name that with ?sslrootcert=FILE",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the server's certificate is of an unknown authority: name that with ?sslrootcert=FILE",
  CERT_SIGNATURE_FAILURE: "the server's certificate was not signed by the authority in ?sslrootcert=FILE",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: compare the clocks",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
};

function reasonOf(error: unknown, { passwordFile, schema }: PostgresSettings): string {
  if (error instanceof IsStandby) return 'the server is a standby: use the primary';
  const state = sqlStateOf(error);
  const [root, message] = rootOf(error);
  if (state === '28000') return `the server rejects this user (${message})`;
  const known = state === undefined ? BY_CODE[root.code ?? ''] : BY_STATE[state];
  if (root.syscall === 'open')
    return `${root.path === passwordFile ? 'the password file' : 'the file'} ${root.path ?? ''} cannot be read`;
  if (known !== undefined) return state === '42501' ? `${known} ${schema}` : known;
  if (/does not support SSL/.test(message)) return 'the server has no TLS: use ?sslmode=disable for plain text';
  if (/password must be/.test(message)) return 'the server requires a password, and none is set';
  if (/timeout|terminated/.test(message)) return 'the host does not answer as PostgreSQL does';
  return message;
}

/** The innermost cause of an error, and its message. If several addresses were tried, the error of the first one. */
function rootOf(error: unknown): [NodeJS.ErrnoException, string] {
  if (error instanceof AggregateError) return rootOf(error.errors[0]);
  if (error instanceof Error && error.cause !== undefined) return rootOf(error.cause);
  return error instanceof Error ? [error, error.message] : [new Error(String(error)), String(error)];
}
