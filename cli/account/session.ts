import { type Fetch, LatchkeyError } from '../../client/index.js';
import { changeProfile, type Profile } from './profiles.js';
import { clientOf, explaining } from './service.js';

/** Milliseconds for the one request that is sent under a profile's lock, which must not grow stale meanwhile. */
const TIMEOUT = 8_000;

/**
 * A `fetch` for the requests of a login. Where one is refused because the session's token has ended, the session is
 * refreshed and the request sent again: a refused one has done nothing.
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
 * Refreshes the session of a profile whose `refused` token has ended, or takes what another command has refreshed it to.
 * Resolves with undefined where the login is over or another one.
 *
 * A refresh token serves once, and presenting it twice ends the session: so it is read, spent and replaced by one command
 * at a time.
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

/** Ends the session of a profile, on the service. Resolves with whether it was there until now. */
export async function endSession({ url, token, refreshToken, insecureHttp }: Profile): Promise<boolean> {
  if (refreshToken === null) return false;
  return await explaining({ url }, async () => {
    const answer = await orEnded(clientOf(url, token, insecureHttp).logOut().withResponse());
    if (answer !== undefined) return true;
    // The token has ended, and the session perhaps not.
    const client = clientOf(url, undefined, insecureHttp);
    const session = await orEnded(client.refreshSession({ body: { refresh_token: refreshToken } }));
    if (session !== undefined) await client.logOut();
    return session !== undefined;
  });
}

/** Undefined where the service says that the credential opens nothing. */
async function orEnded<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'unauthorized') return undefined;
    throw error;
  }
}
