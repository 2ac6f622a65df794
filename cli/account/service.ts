import { createLatchkey, type Fetch, type Latchkey, LatchkeyError, type TokenOption } from '../../client/index.js';
import { Rejected, WrongUse } from '../failure.js';
import { visible } from '../output/text.js';

/** Creates a client of the service at `url`. Plain http to another machine needs `allowInsecureHttp`. */
export function clientOf(
  url: string,
  token: TokenOption | undefined,
  allowInsecureHttp: boolean,
  fetch?: Fetch,
): Latchkey {
  const baseUrl = checkedUrl(url);
  if (typeof token === 'string' && !/^[\x21-\x7e]+$/.test(token)) {
    throw new WrongUse('the token must be visible ASCII characters without white space');
  }
  try {
    return createLatchkey({ baseUrl, ...(token !== undefined && { token }), allowInsecureHttp, fetch });
  } catch (error) {
    if (!(error instanceof TypeError) || allowInsecureHttp) throw error;
    throw new WrongUse(
      `${baseUrl} is plain http, so others on the network could read the token: use https, or --insecure-http`,
    );
  }
}

/** Validates a URL and removes its trailing slash. The error does not contain the URL, which can contain a password. */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const extra = url === undefined ? '' : url.username + url.password + url.search + url.hash;
  if (url === undefined || !/^https?:$/.test(url.protocol) || extra !== '') {
    throw new WrongUse("the service's URL must be like https://tokens.example.org, without user, password or query");
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * Runs `work` and converts the client's errors to one-line messages: to `Rejected` if the service rejected the request, and to
 * `WrongUse` if the service did not answer, or not as Latchkey does.
 */
export async function explaining<T>(
  { url, unauthorized }: { url: string; unauthorized?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    const { code, requestId, retryAfterSeconds, cause } = error;
    // An error of the session's refresh, which the client has wrapped.
    if (cause instanceof Error && cause.name === WrongUse.name) throw new WrongUse(cause.message);
    const told = code === 'unauthorized' && unauthorized !== undefined ? unauthorized : visible(error.message);
    const wait = retryAfterSeconds === undefined ? '' : `; try again in ${String(Math.ceil(retryAfterSeconds))} s`;
    const id = requestId === undefined ? '' : ` (request ${visible(requestId)})`;
    const message = told.replace(/\.$/, '') + wait + id;
    if (code === 'unexpected_answer') {
      throw new WrongUse(
        `${url} does not answer as a Latchkey service does (status ${String(error.status)}): check the URL`,
      );
    }
    throw UNANSWERED.has(code) ? new WrongUse(`${url}: ${message}`) : new Rejected(message);
  }
}

const UNANSWERED: ReadonlySet<LatchkeyError['code']> = new Set([
  'internal_error',
  'network_error',
  'overloaded',
  'service_unavailable',
  'timeout',
]);
