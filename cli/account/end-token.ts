import { LatchkeyError } from '../../client/index.js';
import { clientOf, explaining } from './connection.js';
import type { Profile } from './profiles.js';

/** Revokes the token that login has made. Resolves with whether it opened something until now. */
export async function endToken({ url, token, insecureHttp, made }: Profile): Promise<boolean> {
  if (!made) return false;
  const client = clientOf(url, token, insecureHttp);
  return await explaining({ url }, async () => {
    try {
      await client.revokeCurrentAccessToken();
      return true;
    } catch (error) {
      if (error instanceof LatchkeyError && error.code === 'unauthorized') return false;
      throw error;
    }
  });
}
