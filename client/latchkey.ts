import * as sdk from '../generated/sdk.gen.js';
import type { AccessToken, Credentials, PrivateToken, Session } from '../generated/types.gen.js';
import { readEnvironment } from './environment.js';
import {
  type Call,
  type CallOptions,
  type InputOf,
  type Operation,
  type OperationId,
  type Operations,
  toCall,
} from './operations.js';
import { allAccessTokens, allPrivateTokens, LARGEST_PAGE } from './pages.js';
import { createTransport, type LatchkeyOptions, type Wish } from './transport.js';

type QueryOf<Id extends 'listAccessTokens' | 'listPrivateTokens'> = NonNullable<InputOf<Id>['query']>;

/** The client: every operation of the contract under its `operationId`, and what makes them pleasant. */
export type Latchkey = { [Id in keyof Operations as Id extends 'logIn' ? never : Id]: Operation<Id> } & LatchkeyExtras;

export interface LatchkeyExtras {
  /**
   * Opens a session and keeps it: it authenticates this client's calls until `logOut`. Where one of them is refused
   * with 401 the session is refreshed, once for all calls that wait, and the call repeated. Resolves with the session's
   * tokens and its user.
   *
   * Rejects with `unauthorized` for a wrong e-mail or password, `user_disabled`, and `too_many_requests` with
   * `retryAfterSeconds` after too many failures.
   */
  logIn(credentials: Credentials, options?: CallOptions): Call<Session>;
  logIn(options: InputOf<'logIn'> & CallOptions): Call<Session>;
  readonly accessTokens: {
    /**
     * Every access token of the caller that the filters keep, newest first, page by page as they are asked for. None is
     * lost or repeated while others are created and revoked; those created meanwhile are not among them.
     */
    all(
      options?: Omit<QueryOf<'listAccessTokens'>, 'cursor'> & CallOptions,
    ): AsyncGenerator<AccessToken, void, undefined>;
  };
  readonly privateTokens: {
    /**
     * Every private token of the caller that the filter keeps, oldest first, page by page as they are asked for. None is
     * lost or repeated while others are created and revoked. That holds in this order alone, since the list is numbered:
     * for another order collect them and sort.
     */
    all(
      options?: Omit<QueryOf<'listPrivateTokens'>, 'ordering' | 'page' | 'page_size'> & CallOptions,
    ): AsyncGenerator<PrivateToken, void, undefined>;
  };
}

/**
 * Makes a client of the service at `baseUrl`. It sends nothing yet, and nothing but the calls that are made.
 *
 * Calls reject with a `LatchkeyError`. Throws a `TypeError` for options that cannot be right.
 */
export function createLatchkey(options: LatchkeyOptions): Latchkey {
  const { send, sessions } = createTransport(options);
  const operations = Object.fromEntries(
    (Object.keys(sdk) as OperationId[]).map((id) => [id, (wish?: Wish) => toCall(() => send(id, wish))]),
  ) as unknown as Operations;

  return {
    ...operations,
    logIn(first: Credentials | Wish, second?: CallOptions) {
      const wish = 'body' in first ? first : { ...second, body: first };
      return toCall(async () => {
        const answer = await send<Session>('logIn', wish);
        sessions.keep(answer.data);
        return answer;
      });
    },
    refreshSession: ({ body, ...call }) => toCall(() => sessions.refresh(body.refresh_token, call)),
    logOut: (call) => toCall(() => sessions.end(() => send('logOut', call))),
    accessTokens: {
      all({ signal, timeoutMs, maxRetries, headers, ...filters } = {}) {
        return allAccessTokens((cursor) => {
          const query = { limit: LARGEST_PAGE, ...filters, ...(cursor !== undefined && { cursor }) };
          return operations.listAccessTokens({ query, signal, timeoutMs, maxRetries, headers });
        });
      },
    },
    privateTokens: {
      all({ signal, timeoutMs, maxRetries, headers, ...filters } = {}) {
        return allPrivateTokens((page, pageSize) => {
          const query = { ...filters, ordering: 'id' as const, page, page_size: pageSize };
          return operations.listPrivateTokens({ query, signal, timeoutMs, maxRetries, headers });
        }, LARGEST_PAGE);
      },
    },
  };
}

/**
 * A client of the service at `LATCHKEY_URL`, with `LATCHKEY_TOKEN` where that is set, and anonymous where it is not. The
 * token is never sent to another address.
 *
 * Throws a `TypeError` where `LATCHKEY_URL` is not set or `LATCHKEY_TOKEN` is empty.
 */
createLatchkey.fromEnvironment = (options: Omit<LatchkeyOptions, 'baseUrl' | 'token'> = {}): Latchkey =>
  createLatchkey({ ...options, ...readEnvironment(options) });
