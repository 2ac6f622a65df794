import type { ExpressionBuilder } from 'kysely';
import type { Config } from '../config/config.js';
import { hexOf, type Queries } from '../database/index.js';
import type { AccessTokenTable, Schema } from '../database/schema.js';
import type { Deps } from '../deps.js';
import { toUuid } from '../uuid.js';
import type { OwnerKey } from './caller.js';

// Which tokens are older than a rule of the policy, and break it. All tokens are looked at in the order of their ids, some thousands
// in each query, so that no query takes long.

const DAY = 86_400_000;
/** Ids that one query covers. */
const RANGE = 5_000;

export type Rules = Pick<Config, 'defaultLifetimeDays' | 'maxLifetimeDays' | 'requireExpiry' | 'maxTokensPerOwner'>;

/** A token that never expires or lives too long for the policy. */
export interface BreakingToken {
  id: number;
  uuid: string;
  ownerId: number;
  name: string;
  prefix: string;
  expiresAt: number | null;
  /** The column, which the change must keep. */
  settings: string | null;
}

export interface Violations {
  withoutExpiry: number;
  livingTooLong: number;
  ownersAboveLimit: number;
}

type Organization = Pick<OwnerKey, 'organizationId'>;
type Tokens = ExpressionBuilder<Schema & { token: AccessTokenTable }, 'token'>;

/** Tokens of the organization that the policy is about: personal ones that are neither revoked nor expired. */
function lastingTokens(queries: Queries, { organizationId }: Organization, at: number) {
  return queries
    .selectFrom('access_tokens as token')
    .where('token.organization_id', '=', organizationId)
    .where('token.type', '=', 'pat')
    .where('token.revoked_at', 'is', null)
    .where(({ or, eb }) => or([eb('token.expires_at', 'is', null), eb('token.expires_at', '>', at)]));
}

/** Without a rule about lifetimes nothing lives too long. */
function demandsExpiry({ maxLifetimeDays, requireExpiry }: Rules): boolean {
  return maxLifetimeDays !== null || requireExpiry;
}

const livesTooLong = (eb: Tokens, days: number) =>
  eb('token.expires_at', '>', eb(eb.fn.coalesce('token.lifetime_from', 'token.created_at'), '+', days * DAY));

/** Counts what breaks the policy at the instant `at`. Tokens that change meanwhile count as before or as after. */
export async function countViolations(
  { db, config }: Pick<Deps, 'db' | 'config'>,
  organization: Organization,
  at: number,
): Promise<Violations> {
  const violations = { withoutExpiry: 0, livingTooLong: 0, ownersAboveLimit: 0 };
  const counts = new Map<number, number>();
  const { maxLifetimeDays: longest, maxTokensPerOwner: most } = config;
  for await (const [above, last] of ranges(db.read)) {
    const lasting = lastingTokens(db.read, organization, at)
      .where('token.id', '>', above)
      .where('token.id', '<=', last);
    const count = async (query: typeof lasting) =>
      (await query.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow()).count;
    if (demandsExpiry(config)) violations.withoutExpiry += await count(lasting.where('token.expires_at', 'is', null));
    if (longest !== null) violations.livingTooLong += await count(lasting.where((eb) => livesTooLong(eb, longest)));
    if (most === null) continue;
    const owned = lasting.select(['token.owner_id', ({ fn }) => fn.countAll<number>().as('count')]);
    for (const row of await owned.groupBy('token.owner_id').execute())
      counts.set(row.owner_id, (counts.get(row.owner_id) ?? 0) + row.count);
  }
  violations.ownersAboveLimit = [...counts.values()].filter((count) => most !== null && count > most).length;
  return violations;
}

/** The ranges of ids that cover all tokens, also those that are created meanwhile. */
async function* ranges(read: Queries): AsyncGenerator<[above: number, last: number]> {
  for (let above = 0; ; above += RANGE) {
    const newest = await read
      .selectFrom('access_tokens')
      .select('id')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (newest === undefined || newest.id <= above) return;
    yield [above, above + RANGE];
  }
}

/** Yields the tokens that break the policy at the instant `at`, in the order of their ids, `limit` at most at a time. */
export async function* breakingTokens(
  { db, config }: Pick<Deps, 'db' | 'config'>,
  organization: Organization,
  at: number,
  limit: number,
): AsyncGenerator<BreakingToken[]> {
  if (!demandsExpiry(config)) return;
  for await (const [start, last] of ranges(db.read)) {
    for (let above = start; ; ) {
      const tokens = await breaking(db.read, config, organization, at)
        .where('token.id', '>', above)
        .where('token.id', '<=', last)
        .orderBy('token.id')
        .limit(limit)
        .execute();
      if (tokens.length > 0) yield tokens.map(toBreakingToken);
      const end = tokens.at(-1);
      if (end === undefined || tokens.length < limit) break;
      above = end.id;
    }
  }
}

/** Those of the tokens with these ids that still break the policy, read in the transaction that changes them. */
export async function stillBreaking(
  trx: Queries,
  rules: Rules,
  organization: Organization,
  at: number,
  ids: readonly number[],
): Promise<BreakingToken[]> {
  const rows = await breaking(trx, rules, organization, at).where('token.id', 'in', ids).orderBy('token.id').execute();
  return rows.map(toBreakingToken);
}

function breaking(queries: Queries, { maxLifetimeDays: longest }: Rules, organization: Organization, at: number) {
  return lastingTokens(queries, organization, at)
    .select(['token.id', 'token.owner_id', 'token.name', 'token.prefix', 'token.expires_at', 'token.settings'])
    .select(hexOf('token.uuid').as('uuid'))
    .where((eb) =>
      eb.or([eb('token.expires_at', 'is', null), ...(longest === null ? [] : [livesTooLong(eb, longest)])]),
    );
}

function toBreakingToken(row: {
  id: number;
  uuid: string;
  owner_id: number;
  name: string;
  prefix: string;
  expires_at: number | null;
  settings: string | null;
}): BreakingToken {
  const { id, name, prefix, settings } = row;
  return { id, uuid: toUuid(row.uuid), ownerId: row.owner_id, name, prefix, expiresAt: row.expires_at, settings };
}
