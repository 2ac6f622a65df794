import { LatchkeyError } from '../errors.js';
import { until } from '../patience.js';
import { clearTimeout, queueMicrotask, setTimeout } from '../timers.js';
import type { Answered, Send } from './service.js';

/** A token that is known to be one by its form, and the scopes it is needed for: sorted, none twice. */
export interface Question {
  token: string;
  scopes: readonly string[];
}

export interface Limits {
  /** Milliseconds that each question may take, whatever it waits for. */
  timeoutMs: number;
  /** Requests on their way at a time. */
  maxConcurrency: number;
}

/** The most questions, and characters of them, that the service takes in a batch, less some for what is around them. */
const LARGEST_BATCH = 100;
const LARGEST_BODY = 60_000;

/** A question, and those who wait for its answer. */
interface Entry {
  key: string;
  body: { token: string; scopes?: string[] };
  /** Characters on the wire. */
  size: number;
  askers: number;
  answer: Promise<Answered>;
  resolve(answered: Answered): void;
  reject(reason: unknown): void;
  /** Undefined while it has not been sent. */
  request?: { controller: AbortController; open: number; done: boolean };
}

/**
 * Asks the service through `send`, with as few requests as can be without an answer from before its question: whoever asks
 * joins a question that waits to be sent, and never one that is on its way. While one about a token is on its way, the next
 * about it waits, and so does every question while `maxConcurrency` requests are; those that wait leave together.
 */
export function createQuestions(send: Send, { timeoutMs, maxConcurrency }: Limits) {
  /** Not sent yet, oldest first. */
  const queue = new Map<string, Entry>();
  /** What the requests that hold others up ask. */
  const underway = new Set<string>();
  let holding = 0;
  let scheduled = false;

  function join({ token, scopes }: Question): Entry {
    const key = [token, ...scopes].join(' ');
    const waiting = queue.get(key);
    if (waiting !== undefined) return waiting;
    const body = { token, ...(scopes.length > 0 && { scopes: [...scopes] }) };
    const entry = { key, body, size: JSON.stringify(body).length + 1, askers: 0, ...newAnswer() };
    queue.set(key, entry);
    // Those who ask in the same breath are in time.
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
    while (holding < maxConcurrency) {
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
    let holds = true;
    holding++;
    for (const entry of entries) {
      entry.request = request;
      underway.add(entry.key);
    }
    function letOthersGo(): void {
      if (!holds) return;
      holds = false;
      holding--;
      for (const { key } of entries) underway.delete(key);
      dispatch();
    }
    // A request that hangs must not use up the time of those who wait behind it.
    const timer = setTimeout(letOthersGo, timeoutMs / 4);
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
      letOthersGo();
    }
  }

  function leave(entry: Entry): void {
    if (--entry.askers > 0) return;
    const { request } = entry;
    if (request === undefined) queue.delete(entry.key);
    else if (--request.open === 0 && !request.done) request.controller.abort();
  }

  /** Rejects with `timeout`, with what `send` rejects with, or with the reason of `signal`. */
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
