import { pino } from 'pino';
import type { LogLevel } from './config.js';

export type Log = pino.Logger;

const MOST_BYTES_WAITING = 4 * 2 ** 20;

/** What Linux writes to a pipe at once, whoever else writes to it. */
const MOST_BYTES_WHOLE = 4_096;

/** Anything that takes lines, such as a stream. */
export interface LogSink {
  write(line: string): void;
}

/**
 * One JSON line for each entry, to standard error unless `sink` says otherwise. What goes in is chosen field by field:
 * no headers, query, body, token, password or cookie ever does.
 */
export function createLog(level: LogLevel, sink: LogSink = standardError()): Log {
  return pino({ ...COMMON, level, base: null }, sink);
}

/** The same of one of several processes with one standard error: its lines tell which one, and stay whole. */
export function createWorkerLog(level: LogLevel): Log {
  const sink = pino.destination({ fd: 2, sync: false, maxLength: MOST_BYTES_WAITING, maxWrite: MOST_BYTES_WHOLE });
  return pino({ ...COMMON, level, base: { pid: process.pid } }, sink);
}

const COMMON = { timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFields } };

/** Asynchronous, and bounded: a reader that stalls loses lines, and does not stop the service. */
function standardError(): LogSink {
  return pino.destination({ fd: 2, sync: false, maxLength: MOST_BYTES_WAITING });
}

/** An error's name, code, message and stack. Errors of the driver carry no parameters, and no other fields are kept. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
