import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { clearTimeout, performanceNow, setTimeout } from '../timers.js';

/** Milliseconds for which lines are collected into one write, because a write costs as much as serving a request. */
const GATHERING = 50;
/** Most characters that wait to be written; newer lines are lost. */
const MOST_WAITING = 4 * 2 ** 20;
/** Milliseconds that the end of the process waits for a slow reader, and between two looks at it. */
const LAST_PATIENCE = 200;
const LAST_PAUSE = 5;

const STANDARD_ERROR = 2;
const LINE_BREAK = 10;

/** Writes log lines, each with its line break. It never throws, blocks, or grows without bound. */
export interface LogOutput {
  write(line: string): void;
  /** Number of lines that were lost so far. */
  readonly lost: number;
}

interface Options {
  /** Most characters of one write, unless a single line is longer. */
  mostAtOnce: number;
  /** Is called with the number of lost lines when writing works again; `reason` is the system's error code. */
  onRecovery(lost: number, reason: string): void;
}

/**
 * Creates an output that writes to standard error. A full disk, a closed pipe or a slow reader loses lines, which are
 * counted. Requests never wait for the output; only the end of the process waits, for at most a fifth of a second.
 */
export function createLogOutput({ mostAtOnce, onRecovery }: Options): LogOutput {
  const { fd, isPrompt, prepare } = openStandardError();
  let lines: string[] = [];
  let waiting = 0;
  /** The bytes of the next write. */
  let chunk = Buffer.alloc(0);
  /** Whether the chunk begins inside a line. */
  let isTorn = false;
  let isWriting = false;
  let timer: NodeJS.Timeout | undefined;
  let lost = 0;
  let told = 0;
  let reason = '';

  function comeAgain(): void {
    timer ??= setTimeout(pass, GATHERING).unref();
  }

  function pass(): void {
    clearTimeout(timer);
    timer = undefined;
    if (isWriting || !fillChunk()) return;
    if (!isPrompt) {
      // A disk may be slow, so a thread of Node writes.
      isWriting = true;
      write(fd, chunk, (error, written) => {
        isWriting = false;
        if (settle(error, written)) pass();
        else comeAgain();
      });
      return;
    }
    while (writeNow()) if (!fillChunk()) return;
    comeAgain();
  }

  /** Writes the chunk. Returns false if the next write would fail too, so that it must wait. */
  function writeNow(): boolean {
    try {
      prepare();
      return settle(null, writeSync(fd, chunk));
    } catch (error) {
      return settle(error as NodeJS.ErrnoException, 0);
    }
  }

  function settle(error: NodeJS.ErrnoException | null, written: number): boolean {
    if (error?.code === 'EAGAIN') return false;
    if (error !== null) {
      abandonChunk(error.code ?? error.name);
      return false;
    }
    isTorn = written === 0 ? isTorn : chunk[written - 1] !== LINE_BREAK;
    chunk = chunk.subarray(written);
    if (chunk.length === 0 && lines.length === 0 && lost > told) {
      const untold = lost - told;
      told = lost;
      onRecovery(untold, reason);
    }
    return true;
  }

  /** Fills an empty chunk with whole lines. Returns false if there is nothing to write. */
  function fillChunk(): boolean {
    if (chunk.length > 0) return true;
    let count = 0;
    let length = 0;
    for (const line of lines) {
      if (count > 0 && length + line.length > mostAtOnce) break;
      count++;
      length += line.length;
    }
    if (count === 0) return false;
    chunk = Buffer.from(lines.slice(0, count).join(''));
    lines = lines.slice(count);
    waiting -= length;
    return true;
  }

  /** Keeps only the rest of a partly written line, so that every line of the log is complete. */
  function abandonChunk(code: string): void {
    const end = isTorn ? chunk.indexOf(LINE_BREAK) + 1 : 0;
    lose(chunk.subarray(end).filter((byte) => byte === LINE_BREAK).length, code);
    chunk = chunk.subarray(0, end);
  }

  function lose(count: number, code: string): void {
    lost += count;
    reason = code;
  }

  process.once('exit', () => {
    // Node finishes a write in a thread before the process ends.
    if (isWriting) chunk = Buffer.alloc(0);
    const deadline = performanceNow() + LAST_PATIENCE;
    while (fillChunk()) {
      if (writeNow()) continue;
      if (performanceNow() > deadline) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_PAUSE);
    }
  });

  return {
    write(line) {
      if (waiting + line.length > MOST_WAITING) {
        lose(1, 'EAGAIN');
        return;
      }
      lines.push(line);
      waiting += line.length;
      if (waiting > mostAtOnce && timer !== undefined && chunk.length === 0) pass();
      else comeAgain();
    },
    get lost() {
      return lost;
    },
  };
}

interface StandardError {
  fd: number;
  /** Whether a write returns at once, however slow the reader is. */
  isPrompt: boolean;
  /** Must be called before each write. */
  prepare(): void;
}

function openStandardError(): StandardError {
  const status = fstatSync(STANDARD_ERROR);
  const prepare = () => undefined;
  if (status.isFIFO() || isatty(STANDARD_ERROR)) {
    // A new file description, because other processes set and clear O_NONBLOCK on the shared one.
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    try {
      return { fd: openSync('/proc/self/fd/2', flags), isPrompt: true, prepare };
    } catch {
      // This system or this user cannot open it.
    }
  }
  if (!status.isFIFO() && !status.isSocket()) return { fd: STANDARD_ERROR, isPrompt: false, prepare };
  const { _handle: handle } = process.stderr as { _handle?: { setBlocking(isBlocking: boolean): void } };
  return {
    fd: STANDARD_ERROR,
    isPrompt: handle !== undefined,
    // Each worker that starts or ends makes the shared description blocking again.
    prepare: () => handle?.setBlocking(false),
  };
}
