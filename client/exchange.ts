import { onAbort } from './abort.js';
import type { RawAnswer } from './answer.js';
import { LatchkeyError } from './errors.js';
import { until } from './patience.js';
import { clearTimeout, setTimeout } from './timers.js';

/** The platform's `fetch`, or a function that replaces it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Outgoing {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** Makes one attempt: sends the request and reads the whole answer within `timeoutMs` milliseconds (0 for no limit). */
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
        // A browser must not add cookies to the credential. The API never redirects, and a followed redirect could
        // send a password to another host.
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
