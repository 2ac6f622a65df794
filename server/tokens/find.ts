import type { Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { uuidBytes } from '../uuid.js';
import { type AccessToken, selectTokens, toAccessToken } from './token.js';

const tokenByUuid = (read: Queries, { uuid, ownerId }: { uuid: Uint8Array; ownerId: number }) =>
  selectTokens(read).where('token.uuid', '=', uuid).where('token.owner_id', '=', ownerId);

/** The owner's token, revoked or not. Rejects with `not_found`, for another owner's token as for none. */
export async function getToken({ db }: Deps, ownerId: number, uuid: string): Promise<AccessToken> {
  const [row] = await db.readPrepared(tokenByUuid, { uuid: uuidBytes(uuid), ownerId });
  if (row === undefined) throw new ServiceError('not_found');
  return toAccessToken(row);
}
