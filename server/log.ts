import { pino } from 'pino';
import type { LogLevel } from './config.js';
import { toInstant } from './instants.js';
import { clearTimeout, dateNow, setTimeout } from './timers.js';

/** Takes the service's log entries: what happened in words, and the fields that tell of it. A pino logger is one. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const MOST_BYTES_WAITING = 4 * 2 ** 20;
/** Milliseconds. */
const GATHERING = 50;
const MOST_GATHERED = 65_536;

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
  return pino({ ...COMMON, level, base: { pid: process.pid } }, gathering(sink, MOST_BYTES_WHOLE));
}

const COMMON = {
  timestamp: () => `,"time":"${toInstant(dateNow())}"`,
  serializers: { err: errorFields },
};

/**
 * Asynchronous, and bounded: a reader that stalls loses lines, and does not stop the service. Lines wait a moment for
 * each other, since every write to the system costs as much as serving a request does.
 */
function standardError(): LogSink {
  return (sharedSink ??= gathering(
    pino.destination({ fd: 2, sync: false, maxLength: MOST_BYTES_WAITING }),
    MOST_GATHERED,
  ));
}

let sharedSink: LogSink | undefined;

/** Passes lines on together, `most` characters at a time where they are not longer themselves. */
function gathering(destination: ReturnType<typeof pino.destination>, most: number): LogSink {
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  function pass(): void {
    clearTimeout(timer);
    timer = undefined;
    destination.write(lines);
    lines = '';
  }
  process.once('exit', () => {
    pass();
    destination.flushSync();
  });
  return {
    write(line) {
      if (lines.length + line.length > most) pass();
      lines += line;
      timer ??= setTimeout(pass, GATHERING).unref();
    },
  };
}

/** An error's name, code, message and stack. Errors of the driver carry no parameters, and no other fields are kept. */
function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, code, message, stack, ...(cause !== undefined && { cause: errorFields(cause) }) };
}
