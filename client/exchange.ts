import { onAbort } from './abort.js';
import type { RawAnswer } from './answer.js';
import { LatchkeyError } from './errors.js';
import { until } from './patience.js';
import { clearTimeout, setTimeout } from './timers.js';

/** The platform's `fetch`, or what can stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Outgoing {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** One attempt: sends a fresh request and reads the answer to its end, both within `timeoutMs` (0 for no limit). */
export async function exchange(
  fetch: Fetch,
  { url, ...request }: Outgoing,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  mask: (text: string) => string,
): Promise<RawAnswer> {
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
        ...request,
        signal: controller.signal,
        // The credential is in one place: a browser adds no cookie. The contract has no redirects, and following one
        // could carry a password elsewhere.
        credentials: 'omit',
        redirect: 'manual',
      }),
      controller.signal,
    );
    const text = await until(response.text(), controller.signal);
    return { status: response.status, headers: response.headers, text };
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
    forget();
  }
}

/** A browser tells a page nothing of why an answer from another origin is kept from it. */
function silenceFrom(url: string): string {
  const page = (globalThis as { location?: { origin?: string } }).location?.origin;
  if (page === undefined || url.startsWith(`${page}/`)) return 'The service did not answer.';
  return `The service did not answer, or its CORS setting LATCHKEY_CORS_ORIGINS does not name ${page}: a browser hides which.`;
}

/** Names, texts and codes alone: what else a `fetch` hangs on its errors may be the request with its credential. */
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
