import type { Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { uuidBytes } from '../uuid.js';
import { type AccessToken, selectTokens, type TokenRow, toAccessToken } from './token.js';

const tokenByUuid = (read: Queries) =>
  selectTokens(read).where('token.uuid', '=', new Uint8Array()).where('token.owner_id', '=', 0);

/** The owner's token, revoked or not. Rejects with `not_found`, for another owner's token as for none. */
export async function getToken({ db }: Deps, ownerId: number, uuid: string): Promise<AccessToken> {
  const [row] = await db.readPrepared<TokenRow>(tokenByUuid, [uuidBytes(uuid), ownerId]);
  if (row === undefined) throw new ServiceError('not_found');
  return toAccessToken(row);
}
