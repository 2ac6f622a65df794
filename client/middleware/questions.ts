import { LatchkeyError } from '../errors.js';
import { until } from '../patience.js';
import { clearTimeout, queueMicrotask, setTimeout } from '../timers.js';
import type { Answered, Send } from './service.js';

/** A well-formed token to verify, and the scopes that it must have: sorted, without duplicates. */
export interface Question {
  token: string;
  scopes: readonly string[];
}

export interface Limits {
  /** Milliseconds that each question may take, including all waiting. */
  timeoutMs: number;
  /** Most requests in flight at a time. */
  maxConcurrency: number;
}

/** Most questions in a batch, as the contract allows. */
const LARGEST_BATCH = 100;
/** Most characters of a batch's questions; the service accepts bodies of 65536 bytes. */
const LARGEST_BODY = 60_000;

/** A question and the calls that wait for its answer. */
interface Entry {
  key: string;
  body: { token: string; scopes?: string[] };
  /** Characters in the request body. */
  size: number;
  /** Calls that wait for the answer. */
  askers: number;
  answer: Promise<Answered>;
  resolve(answered: Answered): void;
  reject(reason: unknown): void;
  /** Undefined until the question is sent. */
  request?: { controller: AbortController; open: number; done: boolean };
}

/**
 * Verifies tokens through `send` with as few requests as possible. A call may share a question that still waits to be sent,
 * but never one already sent: its answer could be older than the call. A question waits while another about the same token
 * and scopes is in flight, or while `maxConcurrency` requests are. Waiting questions are sent together.
 */
export function createQuestions(send: Send, { timeoutMs, maxConcurrency }: Limits) {
  /** Questions that are not sent yet, oldest first. */
  const queue = new Map<string, Entry>();
  /** Keys of the questions in requests that count towards `maxConcurrency`. */
  const underway = new Set<string>();
  let counted = 0;
  let scheduled = false;

  function join({ token, scopes }: Question): Entry {
    const key = [token, ...scopes].join(' ');
    const waiting = queue.get(key);
    if (waiting !== undefined) return waiting;
    const body = { token, ...(scopes.length > 0 && { scopes: [...scopes] }) };
    const entry = { key, body, size: JSON.stringify(body).length + 1, askers: 0, ...newAnswer() };
    queue.set(key, entry);
    // Calls made in the same turn of the event loop share one request.
    if (!scheduled) {
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        dispatch();
      });
    }
    return entry;
  }

  function dispatch(): void {
    while (counted < maxConcurrency) {
      const entries = take();
      if (entries.length === 0) return;
      void run(entries);
    }
  }

  function take(): Entry[] {
    const taken: Entry[] = [];
    let size = 0;
    for (const entry of queue.values()) {
      if (underway.has(entry.key)) continue;
      size += entry.size;
      if (taken.length === LARGEST_BATCH || (taken.length > 0 && size > LARGEST_BODY)) break;
      taken.push(entry);
    }
    for (const { key } of taken) queue.delete(key);
    return taken;
  }

  async function run(entries: Entry[]): Promise<void> {
    const request = { controller: new AbortController(), open: entries.length, done: false };
    let counts = true;
    counted++;
    for (const entry of entries) {
      entry.request = request;
      underway.add(entry.key);
    }
    function makeRoom(): void {
      if (!counts) return;
      counts = false;
      counted--;
      for (const { key } of entries) underway.delete(key);
      dispatch();
    }
    // A slow request stops counting after a quarter of the time-out, so that those waiting behind it still have time.
    const timer = setTimeout(makeRoom, timeoutMs / 4);
    try {
      const answers = await send(
        entries.map(({ body }) => body),
        request.controller.signal,
      );
      for (const [index, entry] of entries.entries()) entry.resolve(answers[index] as Answered);
    } catch (error) {
      for (const entry of entries) entry.reject(error);
    } finally {
      request.done = true;
      clearTimeout(timer);
      makeRoom();
    }
  }

  function leave(entry: Entry): void {
    if (--entry.askers > 0) return;
    const { request } = entry;
    if (request === undefined) queue.delete(entry.key);
    else if (--request.open === 0 && !request.done) request.controller.abort();
  }

  /** Asks a question. Rejects with `timeout`, with the error of `send`, or with the reason of `signal`. */
  return async function ask(question: Question, signal?: AbortSignal): Promise<Answered> {
    signal?.throwIfAborted();
    const entry = join(question);
    entry.askers++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new LatchkeyError({ code: 'timeout', message: `No answer within ${String(timeoutMs)} milliseconds.` }));
      }, timeoutMs);
    });
    try {
      return await until(Promise.race([entry.answer, late]), signal);
    } finally {
      clearTimeout(timer);
      leave(entry);
    }
  };
}

function newAnswer(): Pick<Entry, 'answer' | 'resolve' | 'reject'> {
  let settle: Pick<Entry, 'resolve' | 'reject'> | undefined;
  const answer = new Promise<Answered>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { answer, ...(settle as unknown as Pick<Entry, 'resolve' | 'reject'>) };
}
