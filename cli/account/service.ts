import { createLatchkey, type Fetch, type Latchkey, LatchkeyError, type TokenOption } from '../../client/index.js';
import { Refused, WrongUse } from '../failure.js';
import { visible } from '../output/text.js';

/** A client of the service at `url`, over plain http only to this machine or where the user accepts it. */
export function clientOf(
  url: string,
  token: TokenOption | undefined,
  allowInsecureHttp: boolean,
  fetch?: Fetch,
): Latchkey {
  const baseUrl = checkedUrl(url);
  if (typeof token === 'string' && !/^[\x21-\x7e]+$/.test(token)) {
    throw new WrongUse('the token has characters that no token has');
  }
  try {
    return createLatchkey({ baseUrl, ...(token !== undefined && { token }), allowInsecureHttp, fetch });
  } catch (error) {
    if (!(error instanceof TypeError) || allowInsecureHttp) throw error;
    throw new WrongUse(
      `${baseUrl} is plain http, which would show the token to everyone on the way: use https, or --insecure-http`,
    );
  }
}

/** As the client has it. Never shows a URL that is refused: it may hold a password. */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const extra = url === undefined ? '' : url.username + url.password + url.search + url.hash;
  if (url === undefined || !/^https?:$/.test(url.protocol) || extra !== '') {
    throw new WrongUse("the service's URL must be like https://tokens.example.org, without user, password or query");
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * Runs `work` and states what the client rejects with as one line. What the service answers with 4xx is a refusal; where
 * it does not answer, or not as a Latchkey does, nothing is known of what was asked.
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
    // What stopped the refreshing of the session, on its way through the client.
    if (cause instanceof Error && cause.name === WrongUse.name) throw new WrongUse(cause.message);
    const told = code === 'unauthorized' && unauthorized !== undefined ? unauthorized : visible(error.message);
    const wait = retryAfterSeconds === undefined ? '' : `; try again in ${String(Math.ceil(retryAfterSeconds))} s`;
    const id = requestId === undefined ? '' : ` (request ${visible(requestId)})`;
    const message = told.replace(/\.$/, '') + wait + id;
    if (code === 'unexpected_answer') {
      throw new WrongUse(
        `${url} does not answer as a Latchkey service does, with status ${String(error.status)}: is the address right?`,
      );
    }
    throw UNANSWERED.has(code) ? new WrongUse(`${url}: ${message}`) : new Refused(message);
  }
}

const UNANSWERED: ReadonlySet<LatchkeyError['code']> = new Set([
  'internal_error',
  'network_error',
  'overloaded',
  'service_unavailable',
  'timeout',
]);
