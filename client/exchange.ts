import { onAbort } from './abort.js';
import type { RawAnswer } from './answer.js';
import { LatchkeyError } from './errors.js';
import type { EventBytes } from './operations.js';
import { until } from './patience.js';
import { clearTimeout, setTimeout } from './timers.js';

/** The platform's `fetch`, or a function that replaces it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Outgoing {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** `omit` by default: a browser must not add cookies to another credential. */
  credentials?: 'same-origin';
  keepalive?: boolean;
}

/** Makes one attempt: sends the request and reads the whole answer within `timeoutMs` milliseconds (0 for no limit). */
export async function exchange(
  fetch: Fetch,
  outgoing: Outgoing,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  mask: (text: string) => string,
): Promise<RawAnswer> {
  return await attempt(fetch, outgoing, { timeoutMs, signal, mask }, async (response, cut) => ({
    status: response.status,
    headers: response.headers,
    text: await until(response.text(), cut),
  }));
}

/**
 * Makes one attempt for an answer without an end: sends the request and reads the start of the answer within `timeoutMs`
 * milliseconds. `events` are the bytes of an answer with status 200; any other answer is read to its end. `signal` aborts the
 * reading too.
 */
export async function exchangeStream(
  fetch: Fetch,
  outgoing: Outgoing,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  mask: (text: string) => string,
): Promise<RawAnswer & { events?: EventBytes }> {
  const limits = { timeoutMs, signal, mask, goesOn: true };
  return await attempt(fetch, outgoing, limits, async (response, cut) => {
    const { status, headers, body } = response;
    const isStream = status === 200 && /^text\/event-stream(;|$)/i.test(headers.get('Content-Type') ?? '');
    if (isStream && body !== null) return { status, headers, text: '', events: body };
    return { status, headers, text: await until(response.text(), cut) };
  });
}

interface Limits {
  timeoutMs: number;
  signal: AbortSignal | undefined;
  mask: (text: string) => string;
  /** Whether the answer is read after the attempt, so that `signal` still aborts it then. */
  goesOn?: boolean;
}

async function attempt<T>(
  fetch: Fetch,
  { url, ...request }: Outgoing,
  { timeoutMs, signal, mask, goesOn = false }: Limits,
  read: (response: Response, cut: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = () => {
    controller.abort(signal?.reason);
  };
  const timer = timeoutMs > 0 ? setTimeout(abort, timeoutMs) : undefined;
  const forget = onAbort(signal, abort);
  try {
    const response = await until(
      fetch(url, {
        credentials: 'omit',
        ...request,
        signal: controller.signal,
        // The API never redirects, and a followed redirect could send a password to another host.
        redirect: 'manual',
      }),
      controller.signal,
    );
    return await read(response, controller.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (controller.signal.aborted) {
      throw new LatchkeyError({ code: 'timeout', message: `No answer within ${String(timeoutMs)} milliseconds.` });
    }
    const cause = copyOf(error, mask);
    const code = codeIn(cause);
    throw new LatchkeyError({
      code: 'network_error',
      message: code === undefined ? silenceFrom(url) : `The service did not answer (${code}).`,
      cause,
    });
  } finally {
    clearTimeout(timer);
    if (!goesOn) forget();
  }
}

/** In a browser the message also names CORS, because the browser does not tell a page why a request failed. */
function silenceFrom(url: string): string {
  const page = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (page === undefined || url.startsWith(`${page}/`)) return 'The service did not answer.';
  return `The service did not answer, or its setting LATCHKEY_CORS_ORIGINS does not contain ${page}; a browser does not tell which.`;
}

/** Copies name, message and code only, because a `fetch` may attach the request, with its credential, to its errors. */
function copyOf(error: unknown, mask: (text: string) => string, depth = 3): Error | undefined {
  if (!(error instanceof Error) || depth === 0) return undefined;
  const copy = new Error(mask(error.message), { cause: copyOf(error.cause, mask, depth - 1) });
  copy.name = error.name;
  copy.stack = `${error.name}: ${copy.message}`;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? Object.assign(copy, { code }) : copy;
}

function codeIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return (error as { code?: string }).code ?? codeIn(error.cause);
}
