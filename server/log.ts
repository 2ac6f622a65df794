import { pino } from 'pino';
import type { LogLevel } from './config.js';

export type Log = pino.Logger;

const MOST_BYTES_WAITING = 4 * 2 ** 20;
/** Milliseconds. */
const GATHERING = 50;
const MOST_CHARACTERS_GATHERED = 65_536;

/** Anything that takes lines, such as a stream. */
export interface LogSink {
  write(line: string): void;
}

/**
 * One JSON line for each entry, to standard error unless `sink` says otherwise. What goes in is chosen field by field:
 * no headers, query, body, token, password or cookie ever does.
 */
export function createLog(level: LogLevel, sink: LogSink = standardError()): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFields } }, sink);
}

/**
 * Asynchronous, and bounded: a reader that stalls loses lines, and does not stop the service. Lines wait a moment for
 * each other, since every write to the system costs as much as serving a request does.
 */
function standardError(): LogSink {
  return (sharedSink ??= gathering(pino.destination({ fd: 2, sync: false, maxLength: MOST_BYTES_WAITING })));
}

let sharedSink: LogSink | undefined;

function gathering(destination: ReturnType<typeof pino.destination>): LogSink {
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
      lines += line;
      if (lines.length >= MOST_CHARACTERS_GATHERED) pass();
      else timer ??= setTimeout(pass, GATHERING).unref();
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
