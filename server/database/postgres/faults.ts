import { StorageFault, UniqueViolation } from '../faults.js';

/** The connection ended, or could not be opened. */
export class ConnectionLost extends StorageFault {
  override name = 'ConnectionLost';
}

/** The server aborted the transaction because of another transaction. The whole transaction can run again. */
export class TransactionLost extends StorageFault {
  override name = 'TransactionLost';
}

/** The server is a standby, which cannot write and may lack the latest commits. Close the connection. */
export class IsStandby extends ConnectionLost {
  override name = 'IsStandby';
}

/** The server did not run a statement, because one before it failed. The cause is that one's error. */
export class NotRun extends Error {
  override name = 'NotRun';

  constructor(override readonly cause: unknown) {
    super('a statement before this one failed');
  }
}

/** SQLSTATE of a server, database or role that allows no further connection. */
export const TOO_MANY_CONNECTIONS = '53300';
const UNIQUE_VIOLATION = '23505';
const READ_ONLY = '25006';
/** Serialization failure and deadlock. */
const TRANSACTION_LOST = /^40(001|P01)$/;
/** Connection exceptions, shutdowns and crashes, and time-outs that end the session. */
const CONNECTION_LOST = /^(08...|57P0[1-5]|25P0[345])$/;
/** Lack of resources or rights, a cancelled query, a lock time-out, faults of input and output, corruption. */
const STORAGE = /^(53...|42501|57014|55P03|58...|XX00[012])$/;

interface ServerError extends Error {
  /** The SQLSTATE. */
  code: string;
  severity: string;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}

/** The SQLSTATE of an error that the server sent, or of the fault that `toFault` made of it; undefined for other errors. */
export function sqlStateOf(error: unknown): string | undefined {
  if (isServerError(error)) return error.code;
  if (!(error instanceof Error)) return undefined;
  return 'sqlState' in error ? String(error.sqlState) : sqlStateOf(error.cause);
}

/**
 * Converts an error of the driver to the error that the rest of the service knows. It keeps only the server's message: the
 * other fields contain values of rows and parts of queries.
 */
export function toFault(error: unknown): unknown {
  if (error instanceof NotRun) return toFault(error.cause);
  if (isServerError(error)) return Object.assign(faultOf(error), { sqlState: error.code });
  // A mistake of this program has a subclass of Error, such as TypeError. Errors of the driver and the system do not.
  if (error instanceof Error && error.constructor === Error) return new ConnectionLost(error.message, { cause: error });
  return error;
}

function faultOf({ code, message }: ServerError): Error {
  const text = `${message} (SQLSTATE ${code})`;
  if (code === UNIQUE_VIOLATION) return new UniqueViolation(text);
  if (code === READ_ONLY) return new IsStandby(text);
  if (TRANSACTION_LOST.test(code)) return new TransactionLost(text);
  if (CONNECTION_LOST.test(code)) return new ConnectionLost(text);
  if (STORAGE.test(code)) return new StorageFault(text);
  return new Error(text);
}
