import type { Session } from '../generated/types.gen.js';
import { LatchkeyError } from './errors.js';
import type { Answer, CallOptions } from './operations.js';
import { until } from './patience.js';

/** What one attempt is authenticated with; `session` where that is a session that may be refreshed. */
export interface Credential {
  token: string | undefined;
  session?: KeptSession;
}

interface KeptSession {
  accessToken: string;
  /** Undefined once it has been refused: the session is over. */
  refreshToken: string | undefined;
  /** The one refresh in flight. */
  renewal?: Promise<Answer<Session>> | undefined;
}

export type TokenOption = string | (() => string | undefined | Promise<string | undefined>);

/** The client's one place for its credential: the session that it keeps, else `token`. */
export function createSessions(
  token: TokenOption | undefined,
  refresh: (refreshToken: string, options: CallOptions) => Promise<Answer<Session>>,
) {
  let kept: KeptSession | undefined;

  /**
   * For a call's next attempt, after one with `used`. A call stays in its session, lest it be repeated in the name of the
   * next one, and with its token, since the service shows what it did once to that token alone. Waits for a refresh that
   * is in flight, since the earlier token is probably dead.
   */
  async function credential(used: Credential | undefined, signal: AbortSignal | undefined): Promise<Credential> {
    if (used?.session !== undefined) return used;
    const session = used === undefined ? kept : undefined;
    if (session === undefined) {
      return { token: typeof token === 'function' ? await until(Promise.resolve(token()), signal) : token };
    }
    const { renewal } = session;
    // Its failure is told to those whose calls were refused.
    if (renewal !== undefined) await until(renewal.then(noop, noop), signal);
    return { token: session.accessToken, session };
  }

  /** Starts a refresh, or joins the one in flight. A refresh token serves once, so there are never two. */
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

    /** What to repeat a call with that was refused with `used`; undefined where nothing else is to be had. */
    async revive(
      { token: used, session }: Credential,
      signal: AbortSignal | undefined,
    ): Promise<Credential | undefined> {
      // A session that has been left is not revived, nor is the call repeated in the name of the next one.
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

    /** Refreshes as the caller asks; the session kept by the one refresh in flight, where it is that one's token. */
    async refresh(refreshToken: string, options: CallOptions): Promise<Answer<Session>> {
      if (kept !== undefined && kept.refreshToken === refreshToken) {
        const { signal, ...rest } = options;
        return await until(renew(kept, refreshToken, rest), signal);
      }
      const answer = await refresh(refreshToken, options);
      keep(answer.data);
      return answer;
    },

    /** Runs `logOut` and forgets the session that it ended. */
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
  // By the status: a later service may have further codes for it.
  return error instanceof LatchkeyError && error.status === 401;
}

function noop(): void {
  // Settled either way.
}
