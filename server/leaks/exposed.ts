import { hexOf, type Queries, type TokenType } from '../database/index.js';
import { toUuid } from '../uuid.js';

/** What somebody can do with a secret that leaked: `ended` is nothing any more, besides telling whose it was. */
export type ExposedSecret = 'newest' | 'earlier' | 'ended';

/** A token of which a secret leaked. */
export interface ExposedToken {
  id: number;
  uuid: string;
  organizationId: number;
  ownerId: number;
  type: TokenType;
  name: string;
  prefix: string;
  version: number;
  expiresAt: number | null;
  revokedAt: number | null;
  disabledAt: number | null;
  /** The one of its secrets that leaked with which most can be done. */
  secret: ExposedSecret;
  /** Whether this secret is a refresh token. */
  isRefreshToken: boolean;
}

/** The ids of the users whose tokens have a secret with one of these digests. */
export async function ownersOf(trx: Queries, digests: readonly Uint8Array[]): Promise<number[]> {
  const rows = await secretsOf(trx, digests);
  const tokens = await tokensOf(
    trx,
    rows.map(({ tokenId }) => tokenId),
  );
  return [...new Set(tokens.map(({ owner_id }) => owner_id))];
}

/** Returns the tokens that have a secret with one of these digests, in the order of their ids, as they are at the instant `at`. */
export async function findExposed(trx: Queries, digests: readonly Uint8Array[], at: number): Promise<ExposedToken[]> {
  const worst = new Map<number, Pick<ExposedToken, 'secret' | 'isRefreshToken'>>();
  for (const { tokenId, isRefreshToken, isNewest, until } of await secretsOf(trx, digests)) {
    const isOver = until !== null && until <= at;
    const secret = isOver ? 'ended' : isNewest ? 'newest' : isRefreshToken ? 'ended' : 'earlier';
    const known = worst.get(tokenId);
    if (known === undefined || RANK[secret] > RANK[known.secret]) worst.set(tokenId, { secret, isRefreshToken });
  }
  const rows = await tokensOf(trx, [...worst.keys()]);
  return rows.map((row) => ({
    id: row.id,
    uuid: toUuid(row.uuid),
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    type: row.type,
    name: row.name,
    prefix: row.prefix,
    version: row.version,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    disabledAt: row.disabled_at,
    secret: worst.get(row.id)?.secret ?? 'ended',
    isRefreshToken: worst.get(row.id)?.isRefreshToken ?? false,
  }));
}

const RANK: Record<ExposedSecret, number> = { ended: 0, earlier: 1, newest: 2 };

interface Secret {
  tokenId: number;
  isRefreshToken: boolean;
  /** Whether it is a token's newest secret, or a refresh token that was not used yet. */
  isNewest: boolean;
  until: number | null;
}

async function secretsOf(trx: Queries, digests: readonly Uint8Array[]): Promise<Secret[]> {
  const secrets = await trx
    .selectFrom('token_secrets')
    .select(['token_id', 'valid_until'])
    .where('digest', 'in', digests)
    .execute();
  const refreshTokens = await trx
    .selectFrom('refresh_tokens')
    .select(['token_id', 'expires_at', 'spent_at'])
    .where('digest', 'in', digests)
    .execute();
  return [
    ...secrets.map(({ token_id: tokenId, valid_until: until }) => ({
      tokenId,
      isRefreshToken: false,
      isNewest: until === null,
      until,
    })),
    ...refreshTokens.map(({ token_id: tokenId, expires_at: until, spent_at: spentAt }) => ({
      tokenId,
      isRefreshToken: true,
      isNewest: spentAt === null,
      until,
    })),
  ];
}

async function tokensOf(trx: Queries, ids: readonly number[]) {
  if (ids.length === 0) return [];
  return await trx
    .selectFrom('access_tokens')
    .select(['id', 'organization_id', 'owner_id', 'type', 'name', 'prefix', 'version'])
    .select(['expires_at', 'revoked_at', 'disabled_at', hexOf('uuid').as('uuid')])
    .where('id', 'in', ids)
    .orderBy('id')
    .execute();
}

/** Which of these digests are of a secret that a token has or had. */
export async function knownDigests(read: Queries, digests: readonly Uint8Array[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (const table of ['token_secrets', 'refresh_tokens'] as const) {
    const rows = await read
      .selectFrom(table)
      .select(hexOf('digest').as('hex'))
      .where('digest', 'in', digests)
      .execute();
    for (const { hex } of rows) known.add(hex);
  }
  return known;
}
