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
import { type CallInput, createTransport, type LatchkeyOptions } from './transport.js';

type QueryOf<Id extends 'listAccessTokens' | 'listPrivateTokens'> = NonNullable<InputOf<Id>['query']>;

/** A client of the service: one method for each operation of `openapi.yaml`, named by its `operationId`, and extras. */
export type Latchkey = { [Id in keyof Operations as Id extends 'logIn' ? never : Id]: Operation<Id> } & LatchkeyExtras;

export interface LatchkeyExtras {
  /**
   * Opens a session, which authenticates this client's calls until `logOut`. If a call gets 401, the client refreshes the
   * session and repeats the call; calls that fail at the same time share one refresh. Resolves with the session's tokens
   * and its user.
   *
   * Rejects with `unauthorized` for a wrong e-mail or password, with `user_disabled` for a disabled user, and with
   * `too_many_requests` and `retryAfterSeconds` after too many failures.
   */
  logIn(credentials: Credentials, options?: CallOptions): Call<Session>;
  logIn(options: InputOf<'logIn'> & CallOptions): Call<Session>;
  readonly accessTokens: {
    /**
     * Iterates over the caller's access tokens that match the filters, newest first. Each page is fetched when it is
     * needed. No token is skipped or repeated if others are created or revoked meanwhile; tokens created after the start
     * are left out.
     */
    all(
      options?: Omit<QueryOf<'listAccessTokens'>, 'cursor'> & CallOptions,
    ): AsyncGenerator<AccessToken, void, undefined>;
  };
  readonly privateTokens: {
    /**
     * Iterates over the caller's private tokens that match the filter, oldest first. Each page is fetched when it is
     * needed. No token is skipped or repeated if others are created or revoked meanwhile. Numbered pages allow that in
     * this order only: for another order, collect the tokens and sort them.
     */
    all(
      options?: Omit<QueryOf<'listPrivateTokens'>, 'ordering' | 'page' | 'page_size'> & CallOptions,
    ): AsyncGenerator<PrivateToken, void, undefined>;
  };
}

/**
 * Creates a client of the service at `baseUrl`. A client sends nothing but the calls made on it.
 *
 * Calls reject with a `LatchkeyError`. Throws a `TypeError` for invalid options.
 */
export function createLatchkey(options: LatchkeyOptions): Latchkey {
  const { send, sessions } = createTransport(options);
  const operations = Object.fromEntries(
    (Object.keys(sdk) as OperationId[]).map((id) => [id, (input?: CallInput) => toCall(() => send(id, input))]),
  ) as unknown as Operations;

  return {
    ...operations,
    logIn(first: Credentials | CallInput, second?: CallOptions) {
      const input = 'body' in first ? first : { ...second, body: first };
      return toCall(async () => {
        const answer = await send<Session>('logIn', input);
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
 * Creates a client of the service at `LATCHKEY_URL`. It authenticates with `LATCHKEY_TOKEN`, or is anonymous if that is
 * not set. The token is never sent to another address.
 *
 * Throws a `TypeError` if `LATCHKEY_URL` is not set or `LATCHKEY_TOKEN` is empty.
 */
createLatchkey.fromEnvironment = (options: Omit<LatchkeyOptions, 'baseUrl' | 'token'> = {}): Latchkey =>
  createLatchkey({ ...options, ...readEnvironment(options) });
