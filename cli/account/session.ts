import { type Fetch, LatchkeyError } from '../../client/index.js';
import { changeProfile, type Profile } from './profiles.js';
import { clientOf, explaining } from './service.js';

/** Milliseconds for the request that is sent under a profile's lock; shorter than the time after which a lock is stale. */
const TIMEOUT = 8_000;

/**
 * Creates a `fetch` for the requests of a login. If a request gets 401 because the session's token has expired, it refreshes
 * the session and sends the request again, which is safe because a request with 401 has changed nothing.
 */
export function renewingFetch(name: string, profile: Profile, onRenewed: (renewed: Profile) => void): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (response.status !== 401 || profile.refreshToken === null) return response;
    const headers = new Headers(init.headers);
    const renewed = await renew(name, profile, headers.get('Authorization')?.replace('Bearer ', ''));
    if (renewed === undefined) return response;
    await response.body?.cancel();
    onRenewed(renewed);
    headers.set('Authorization', `Bearer ${renewed.token}`);
    return await fetch(url, { ...init, headers });
  };
}

/**
 * Refreshes the session of a profile after its token `refused` got 401, or uses the token of a refresh by another command.
 * Resolves with undefined if the login has ended or was replaced.
 *
 * A refresh token is valid once, and using it twice ends the session. One command at a time therefore reads, uses and
 * replaces it.
 */
async function renew(name: string, { tokenId }: Profile, refused: string | undefined): Promise<Profile | undefined> {
  let renewed: Profile | undefined;
  await changeProfile(name, async (kept) => {
    if (kept?.tokenId !== tokenId || kept.refreshToken === null) return kept;
    if (kept.token !== refused) {
      renewed = kept;
      return kept;
    }
    const client = clientOf(kept.url, undefined, kept.insecureHttp);
    const body = { refresh_token: kept.refreshToken };
    const session = await orEnded(client.refreshSession({ body, timeoutMs: TIMEOUT, maxRetries: 0 }));
    if (session === undefined) return kept;
    renewed = { ...kept, token: session.access_token, refreshToken: session.refresh_token };
    return renewed;
  });
  return renewed;
}

/** Ends the session of a profile on the service. Resolves with false if there was no session to end. */
export async function endSession({ url, token, refreshToken, insecureHttp }: Profile): Promise<boolean> {
  if (refreshToken === null) return false;
  return await explaining({ url }, async () => {
    const answer = await orEnded(clientOf(url, token, insecureHttp).logOut().withResponse());
    if (answer !== undefined) return true;
    // The session token has expired, but the session may still be open.
    const client = clientOf(url, undefined, insecureHttp);
    const session = await orEnded(client.refreshSession({ body: { refresh_token: refreshToken } }));
    if (session !== undefined) await client.logOut();
    return session !== undefined;
  });
}

/** Resolves with undefined if the service rejects the credential. */
async function orEnded<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'unauthorized') return undefined;
    throw error;
  }
}
