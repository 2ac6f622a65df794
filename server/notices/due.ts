import { sql } from 'kysely';
import { hexOf, type Queries, runPrepared, type TokenType } from '../database/index.js';
import { toUuid } from '../uuid.js';

const DAY = 86_400_000;

/** The last token that a step of a round has seen. Tokens are seen in the order of their expiry. */
export interface Place {
  expiresAt: number;
  id: number;
}

/** A personal access token that expires. */
export interface ExpiringToken extends Place {
  uuid: string;
  organizationId: number;
  ownerId: number;
  name: string;
  prefix: string;
  /** Its rules, as its row has them. */
  settings: string | null;
  /** When its present expiry was set. */
  expirySetAt: number;
  isRevoked: boolean;
}

/** What one step of a round looks for: tokens that are nearer to their expiry than `days`, and not nearer than `nearer`. */
export interface Step {
  /** 0 for tokens that have expired. */
  days: number;
  /** The next smaller number of days; undefined if there is none. */
  nearer: number | undefined;
  /** What was due at this instant was noticed before, in milliseconds since 1970. */
  done: number;
  /** What is due at this instant is noticed now. */
  until: number;
}

/**
 * Returns the next tokens of a step, `limit` at most, behind `after`. For a token that passed several numbers of days since
 * `done`, only the step of the nearest one returns it.
 */
export async function tokensOf(trx: Queries, step: Step, after: Place | null, limit: number): Promise<ExpiringToken[]> {
  const { days, nearer, done, until } = step;
  const above = Math.max(done + days * DAY, nearer === undefined ? Number.MIN_SAFE_INTEGER : until + nearer * DAY);
  const place = after ?? { expiresAt: above, id: Number.MAX_SAFE_INTEGER };
  const rows = await runPrepared(trx, expiringTokens, { ...place, last: until + days * DAY, limit });
  return rows.map((row) => ({
    id: row.id,
    uuid: toUuid(row.uuid),
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    name: row.name,
    prefix: row.prefix,
    expiresAt: row.expires_at ?? 0,
    settings: row.settings,
    expirySetAt: row.lifetime_from ?? row.created_at,
    isRevoked: row.revoked_at !== null,
  }));
}

/** Whether the token ever had more than `days` to live since its expiry was set. */
export function wasAbove({ expiresAt, expirySetAt }: ExpiringToken, days: number): boolean {
  return expirySetAt < expiresAt - days * DAY;
}

const PAT = sql.lit<TokenType>('pat');

// The type is a constant, because the index covers these rows alone. Revoked tokens are among them, so that a query never goes
// through any number of those to find others.
const expiringTokens = (trx: Queries, { expiresAt, id, last, limit }: Place & { last: number; limit: number }) =>
  trx
    .selectFrom('access_tokens')
    .select([
      'id',
      'organization_id',
      'owner_id',
      'name',
      'prefix',
      'expires_at',
      'created_at',
      'lifetime_from',
      'settings',
      'revoked_at',
    ])
    .select(hexOf('uuid').as('uuid'))
    .where('type', '=', PAT)
    .where('expires_at', '>=', expiresAt)
    .where('expires_at', '<=', last)
    .where(({ eb, refTuple, tuple }) => eb(refTuple('expires_at', 'id'), '>', tuple(expiresAt, id)))
    .orderBy('expires_at')
    .orderBy('id')
    .limit(limit);
