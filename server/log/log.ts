import { pino } from 'pino';
import type { LogLevel } from '../config/config.js';
import { toInstant } from '../instants.js';
import { dateNow } from '../timers.js';
import { createLogOutput, type LogOutput } from './output.js';

/** A logger for the service's entries, each with a message and fields. A pino logger fits. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Most characters of one write to standard error. */
const MOST_AT_ONCE = 65_536;
/** Bytes that Linux writes to a pipe atomically, although other processes write to it too. */
const MOST_WHOLE = 4_096;

/** A destination for log lines, such as a stream. */
export interface LogSink {
  write(line: string): void;
}

/**
 * Creates a log that writes each entry as one line of JSON to `sink`, by default standard error. Callers choose each
 * field, and never log headers, queries, bodies, tokens, passwords or cookies.
 */
export function createLog(level: LogLevel, sink?: LogSink): Log {
  const log: Log = pino({ ...COMMON, level, base: null }, sink ?? standardError(MOST_AT_ONCE, () => log));
  return log;
}

/** The log of one of several processes that share standard error. Its lines name the process, and are never mixed. */
export function createWorkerLog(level: LogLevel): Log {
  const base = { pid: process.pid };
  const log: Log = pino(
    { ...COMMON, level, base },
    standardError(MOST_WHOLE, () => log),
  );
  return log;
}

/** Number of log lines that this process has lost because it could not write them to standard error. */
export function lostLogLines(): number {
  return output?.lost ?? 0;
}

const COMMON = {
  timestamp: () => `,"time":"${toInstant(dateNow())}"`,
  serializers: { err: errorFields },
};

/** The one output of the process. The first log reports lost lines. */
function standardError(mostAtOnce: number, firstLog: () => Log): LogSink {
  return (output ??= createLogOutput({
    mostAtOnce,
    onRecovery(lines, reason) {
      firstLog().error({ lines, reason }, 'log lines were lost because standard error did not accept them');
    },
  }));
}

let output: LogOutput | undefined;

/** The name, code, message and stack of an error, and no other fields. Errors of the driver contain no parameters. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
