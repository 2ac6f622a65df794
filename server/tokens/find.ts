import type { Deps } from '../deps.js';
import { ServiceError } from '../errors.js';
import { uuidBytes } from '../uuid.js';
import { type AccessToken, TOKEN_COLUMNS, toAccessToken } from './token.js';

/** The owner's token, revoked or not. Rejects with `not_found`, for another owner's token as for none. */
export async function getToken({ db }: Deps, ownerId: number, uuid: string): Promise<AccessToken> {
  const row = await db.read
    .selectFrom('access_tokens')
    .select(TOKEN_COLUMNS)
    .where('uuid', '=', uuidBytes(uuid))
    .where('owner_id', '=', ownerId)
    .executeTakeFirst();
  if (row === undefined) throw new ServiceError('not_found');
  return toAccessToken(row);
}
