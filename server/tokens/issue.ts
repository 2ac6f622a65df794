import { v7 } from 'uuid';
import type { Queries, TokenType } from '../database/index.js';
import type { Deps } from '../deps.js';
import { digestOf, newPlaintext, PREFIX_LENGTH } from './format.js';
import { type AccessToken, TOKEN_COLUMNS, toAccessToken } from './token.js';

export interface NewToken {
  name: string;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
}

export interface IssuedToken {
  plaintext: string;
  token: AccessToken;
}

/**
 * Issues a personal access token and returns its plaintext: the only time anyone sees it, since the database keeps a
 * digest.
 */
export function issueToken(deps: Deps, ownerId: number, wish: NewToken): Promise<IssuedToken> {
  return deps.db.write((trx) => insertToken(deps, trx, ownerId, 'pat', wish));
}

/** As part of a larger transaction. */
export async function insertToken(
  { now, config }: Pick<Deps, 'now' | 'config'>,
  trx: Queries,
  ownerId: number,
  type: TokenType,
  { name, expiresAt }: NewToken,
): Promise<IssuedToken> {
  const plaintext = newPlaintext(config.brand, type === 'pat' ? 'pat' : 'ses');
  const createdAt = now();
  const row = await trx
    .insertInto('access_tokens')
    .values({
      // Ordered by time, so that the index on it grows at its end.
      uuid: v7({ msecs: createdAt }, new Uint8Array(16)),
      owner_id: ownerId,
      type,
      name,
      prefix: plaintext.slice(0, PREFIX_LENGTH),
      created_at: createdAt,
      expires_at: expiresAt,
    })
    .returning(TOKEN_COLUMNS)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('token_secrets')
    .values({ digest: digestOf(plaintext), token_id: row.id })
    .execute();
  return { plaintext, token: toAccessToken(row) };
}
