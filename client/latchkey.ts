import * as sdk from '../generated/sdk.gen.js';
import type { AccessToken, AuditEvent, Credentials, PrivateToken, Session } from '../generated/types.gen.js';
import { type ActingLatchkey, actingFor, type NamedOwner } from './acting.js';
import { allAuditEvents } from './audit-events.js';
import { readEnvironment } from './environment.js';
import { type FollowOptions, followEvents, type OpenStream } from './events.js';
import {
  type Call,
  type CallOptions,
  type InputOf,
  type Operation,
  type OperationId,
  type Operations,
  type StreamId,
  toCall,
} from './operations.js';
import { allAccessTokens, allPrivateTokens, LARGEST_PAGE } from './pages.js';
import { type CallInput, createTransport, type LatchkeyOptions } from './transport.js';

type QueryOf<Id extends 'listAccessTokens' | 'listPrivateTokens'> = NonNullable<InputOf<Id>['query']>;

/** A client of the service: one method for each operation of `openapi.yaml`, named by its `operationId`, and extras. */
export type Latchkey = {
  [Id in keyof Operations as Id extends 'logIn' | StreamId ? never : Id]: Operation<Id>;
} & LatchkeyExtras;

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
  /**
   * Iterates over events as they happen: all of the organization for an administrator with `audit:read`, otherwise those of the
   * caller's own tokens. It begins behind the event `after`, or else with what happens from now on, and does not end by itself:
   * leave the loop with `break`, or abort `signal`, with whose reason the iteration then rejects.
   *
   * If the connection ends, the client connects again behind the last event, after pauses of 0.5 to 8 seconds, so that no event is
   * missing or repeated. Store the `seq` of the last event to go on after a restart of your process.
   *
   * Rejects with `unauthorized` when the caller's token has ended, with `insufficient_scope`, and with `events_gone` if events after
   * `after` were deleted because of their age, or the database was restored from a backup.
   */
  events(options?: FollowOptions): AsyncGenerator<AuditEvent, void, undefined>;
  /**
   * Returns the operations on access tokens, as those of one owner: `lk.as({ externalOwner: 'cus_42' }).createAccessToken(...)`
   * creates a token for the customer that your own system calls `cus_42`. An external owner or a service requires
   * `tokens:act-as`. Sends nothing.
   *
   * The operations also reject with `owner_not_found` if there is no such owner or this client may not act for it, and creating
   * rejects with `owner_disabled`. Throws a `TypeError` if no owner is named.
   */
  as(owner: NamedOwner): ActingLatchkey;
  readonly auditEvents: {
    /**
     * Iterates over the organization's linked events, oldest first, behind the event `after`; for administrators with
     * `audit:read`. Ends with the newest event. Each part is fetched when it is needed. Rejects with `events_gone` if events
     * after `after` were deleted because of their age, or the database was restored from a backup.
     */
    all(options?: { after?: number | undefined } & CallOptions): AsyncGenerator<AuditEvent, void, undefined>;
  };
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
    (Object.keys(sdk) as OperationId[])
      .filter((id) => id !== 'followEvents')
      .map((id) => [id, (input?: CallInput) => toCall(() => send(id, input))]),
  ) as unknown as Operations;

  const accessTokens: Latchkey['accessTokens'] = {
    all({ signal, timeoutMs, maxRetries, headers, ...filters } = {}) {
      return allAccessTokens((cursor) => {
        const query = { limit: LARGEST_PAGE, ...filters, ...(cursor !== undefined && { cursor }) };
        return operations.listAccessTokens({ query, signal, timeoutMs, maxRetries, headers });
      });
    },
  };

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
    events({ after, signal, timeoutMs, headers } = {}) {
      const open: OpenStream = (place, cut) => {
        const resume: Record<string, string> = place === undefined ? {} : { 'Last-Event-ID': String(place) };
        return send('followEvents', { signal: cut, timeoutMs, maxRetries: 0, headers: { ...headers, ...resume } });
      };
      return followEvents(open, { after, signal });
    },
    auditEvents: {
      all({ after = 0, ...call } = {}) {
        const read = (last: number) => operations.exportAuditEvents({ query: { after: last }, ...call });
        return allAuditEvents(read, after);
      },
    },
    as: (owner) => actingFor(operations, accessTokens.all, owner),
    accessTokens,
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
