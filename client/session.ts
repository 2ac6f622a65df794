import type { Session } from '../generated/types.gen.js';
import { LatchkeyError } from './errors.js';
import type { Answer, CallOptions } from './operations.js';
import { until } from './patience.js';

/** Credential of one attempt. `session` is set if the credential is a session's token, which can be refreshed. */
export interface Credential {
  token: string | undefined;
  session?: KeptSession;
  /** How often the cookies of a page had been refreshed at the start of the attempt. */
  refreshes?: number;
}

export type Sessions = ReturnType<typeof createSessions>;

interface KeptSession {
  accessToken: string;
  /** Undefined after the service has rejected it: the session has ended. */
  refreshToken: string | undefined;
  /** The refresh in flight, if any. */
  renewal?: Promise<Answer<Session>> | undefined;
}

/** A token, or a function that returns one and is called for each attempt. */
export type TokenOption = string | (() => string | undefined | Promise<string | undefined>);

/** Keeps the client's credential: the session of `logIn`, or else the option `token`. */
export function createSessions(
  token: TokenOption | undefined,
  refresh: (refreshToken: string, options: CallOptions) => Promise<Answer<Session>>,
) {
  let kept: KeptSession | undefined;

  /**
   * The credential for a call's next attempt; `used` is that of its last attempt. A call keeps its session, so that it is
   * not repeated as another user, and its session token, because the service repeats an answer only to the token that
   * first received it. Waits for a refresh in flight, because the earlier token has probably expired.
   */
  async function credential(used: Credential | undefined, signal: AbortSignal | undefined): Promise<Credential> {
    if (used?.session !== undefined) return used;
    const session = used === undefined ? kept : undefined;
    if (session === undefined) {
      return { token: typeof token === 'function' ? await until(Promise.resolve(token()), signal) : token };
    }
    const { renewal } = session;
    // A failed refresh is reported by the calls that got 401.
    if (renewal !== undefined) await until(renewal.then(noop, noop), signal);
    return { token: session.accessToken, session };
  }

  /** Starts a refresh, or joins the one in flight: a refresh token is valid once, so two refreshes cannot both succeed. */
  function renew(session: KeptSession, refreshToken: string, options: CallOptions = {}): Promise<Answer<Session>> {
    session.renewal ??= refresh(refreshToken, options)
      .then(
        (answer) => {
          session.accessToken = answer.data.access_token;
          session.refreshToken = answer.data.refresh_token;
          return answer;
        },
        (error: unknown) => {
          if (isUnauthorized(error)) session.refreshToken = undefined;
          throw error;
        },
      )
      .finally(() => {
        session.renewal = undefined;
      });
    return session.renewal;
  }

  function keep(session: Session): void {
    kept = { accessToken: session.access_token, refreshToken: session.refresh_token };
  }

  return {
    credential,
    keep,

    /** The credential to repeat a call with after a 401; undefined if there is no other. */
    async revive(
      { token: used, session }: Credential,
      signal: AbortSignal | undefined,
    ): Promise<Credential | undefined> {
      // After `logOut` or another `logIn`, the call must not be repeated with the other session.
      if (session === undefined || session !== kept) return undefined;
      if (session.accessToken === used) {
        if (session.refreshToken === undefined) return undefined;
        try {
          await until(renew(session, session.refreshToken), signal);
        } catch (error) {
          if (isUnauthorized(error)) return undefined;
          throw error;
        }
      }
      return { token: session.accessToken, session };
    },

    /** Refreshes the session of `refreshToken` for the caller. The kept session's token joins a refresh in flight. */
    async refresh(refreshToken: string, options: CallOptions): Promise<Answer<Session>> {
      if (kept !== undefined && kept.refreshToken === refreshToken) {
        const { signal, ...rest } = options;
        return await until(renew(kept, refreshToken, rest), signal);
      }
      const answer = await refresh(refreshToken, options);
      keep(answer.data);
      return answer;
    },

    /** Runs `logOut` and forgets the session that has ended. */
    async end(logOut: () => Promise<Answer<void>>): Promise<Answer<void>> {
      const session = kept;
      const forget = () => {
        if (kept === session) kept = undefined;
      };
      try {
        const answer = await logOut();
        forget();
        return answer;
      } catch (error) {
        if (isUnauthorized(error)) forget();
        throw error;
      }
    },
  };
}

export function isUnauthorized(error: unknown): boolean {
  // The status is compared because a newer service may have further codes with 401.
  return error instanceof LatchkeyError && error.status === 401;
}

function noop(): void {
  // Ignores the outcome of the refresh.
}
