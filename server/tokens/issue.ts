import type { Queries, TokenType } from '../database/index.js';
import type { Deps } from '../deps.js';
import { unauthorized } from '../errors.js';
import { newUuid } from '../uuid.js';
import { digestOf, newPlaintext, PREFIX_LENGTH } from './format.js';
import { type AccessToken, TOKEN_COLUMNS, toAccessToken } from './token.js';

export interface NewToken {
  name: string;
  /** Milliseconds since 1970: the one moment of the request, from which its lifetime counts. */
  createdAt: number;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
}

export interface IssuedToken {
  plaintext: string;
  token: AccessToken;
}

/**
 * Issues a personal access token to the owner of the token `by` and returns its plaintext: the only time anyone sees it,
 * since the database keeps a digest.
 *
 * Rejects with `unauthorized` where `by` was revoked, or its owner disabled, since the request was let in: while its body
 * was on the way, say. Checked in the same transaction, so that no token is born of a dead one.
 */
export function issueToken(deps: Deps, by: { ownerId: number; tokenId: number }, wish: NewToken): Promise<IssuedToken> {
  return deps.db.write(async (trx) => {
    const alive = await trx
      .selectFrom('access_tokens as token')
      .innerJoin('users as owner', 'owner.id', 'token.owner_id')
      .select('token.id')
      .where('token.id', '=', by.tokenId)
      .where('token.revoked_at', 'is', null)
      .where('owner.disabled_at', 'is', null)
      .executeTakeFirst();
    if (alive === undefined) throw unauthorized('revoked', { credentialSent: true });
    return await insertToken(deps, trx, by.ownerId, 'pat', wish);
  });
}

/** As part of a larger transaction. */
export async function insertToken(
  { config }: Pick<Deps, 'config'>,
  trx: Queries,
  ownerId: number,
  type: TokenType,
  { name, createdAt, expiresAt }: NewToken,
): Promise<IssuedToken> {
  const plaintext = newPlaintext(config.brand, type === 'pat' ? 'pat' : 'ses');
  const row = await trx
    .insertInto('access_tokens')
    .values({
      uuid: newUuid(createdAt),
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
