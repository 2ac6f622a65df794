import { pino } from 'pino';
import type { LogLevel } from '../config/config.js';
import { toInstant } from '../instants.js';
import { dateNow } from '../timers.js';
import { createLogOutput, type LogOutput } from './output.js';

/** Takes the service's log entries: a message and its fields. A pino logger is one. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Characters of one write to standard error. */
const MOST_AT_ONCE = 65_536;
/** What Linux writes to a pipe at once, whoever else writes to it. */
const MOST_WHOLE = 4_096;

/** Anything that takes lines, such as a stream. */
export interface LogSink {
  write(line: string): void;
}

/**
 * One JSON line for each entry, to standard error unless `sink` says otherwise. What goes in is chosen field by field:
 * no headers, query, body, token, password or cookie ever does.
 */
export function createLog(level: LogLevel, sink?: LogSink): Log {
  const log: Log = pino({ ...COMMON, level, base: null }, sink ?? standardError(MOST_AT_ONCE, () => log));
  return log;
}

/** The log of one of several processes with one standard error: its lines tell which process, and stay whole. */
export function createWorkerLog(level: LogLevel): Log {
  const base = { pid: process.pid };
  const log: Log = pino(
    { ...COMMON, level, base },
    standardError(MOST_WHOLE, () => log),
  );
  return log;
}

/** The lines that standard error did not take from this process so far. */
export function lostLogLines(): number {
  return output?.lost ?? 0;
}

const COMMON = {
  timestamp: () => `,"time":"${toInstant(dateNow())}"`,
  serializers: { err: errorFields },
};

/** One for the process, which has one standard error; the first log tells of lost lines. */
function standardError(mostAtOnce: number, firstLog: () => Log): LogSink {
  return (output ??= createLogOutput({
    mostAtOnce,
    onRecovery(lines, reason) {
      firstLog().error({ lines, reason }, 'log lines were lost because standard error did not accept them');
    },
  }));
}

let output: LogOutput | undefined;

/** An error's name, code, message and stack. Errors of the driver carry no parameters, and no other fields are kept. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
