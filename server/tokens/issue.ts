import type { Selectable } from 'kysely';
import { type Queries, runPrepared, type TokenType } from '../database/index.js';
import type { AccessTokenTable } from '../database/schema.js';
import type { Deps } from '../deps.js';
import { newUuid, toUuid } from '../uuid.js';
import type { Caller } from './caller.js';
import { type Attempt, writeOnce } from './once.js';
import { newPlaintext } from './plaintext.js';
import { checkTokenLimit, expiryOf, type Lifetime } from './policy.js';
import { requireScopes, scopeSetId, scopesToGive, WRITE } from './scopes.js';
import { insertSecret } from './secrets.js';
import { type AccessToken, type IssuedToken, metadataColumn } from './token.js';

interface Description {
  name: string;
  description?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

export interface TokenWish extends Description {
  lifetime: Lifetime;
  /** Undefined for the caller's own scopes. */
  scopes?: readonly string[] | undefined;
}

export interface NewToken extends Description {
  scopes: readonly string[];
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Milliseconds since 1970; null for never. */
  expiresAt: number | null;
}

/**
 * Issues a personal access token to the caller and returns its plaintext, which nobody can read again: the database stores
 * a digest. A repeated `attempt` returns the token of the first one.
 *
 * Rejects with `token_limit_reached`; with `insufficient_scope` for scopes that the caller lacks; with `invalid_input` for a
 * lifetime that the policy forbids; and as `writeOnce` does.
 */
export function issueToken(
  deps: Deps,
  caller: Caller,
  { name, description, metadata, lifetime, scopes: wished }: TokenWish,
  attempt: Attempt | undefined,
): Promise<IssuedToken> {
  return writeOnce(deps, caller, attempt, async (trx, holder, createdAt) => {
    requireScopes(holder, [WRITE]);
    const scopes = scopesToGive(holder, wished);
    const expiresAt = expiryOf(deps.config, createdAt, lifetime);
    await checkTokenLimit(trx, deps.config, caller.ownerId, createdAt);
    const token = { name, description, metadata, scopes, createdAt, expiresAt };
    return await insertToken(deps, trx, caller.ownerId, 'pat', token);
  });
}

/** Inserts a token of `type` with its first secret, in the caller's transaction. */
export async function insertToken(
  { config }: Pick<Deps, 'config'>,
  trx: Queries,
  ownerId: number,
  type: TokenType,
  { name, description = '', metadata = {}, scopes, createdAt, expiresAt }: NewToken,
): Promise<IssuedToken> {
  const plaintext = newPlaintext(config.brand, type === 'pat' ? 'pat' : 'ses');
  const digest = plaintext.digest();
  const sortedScopes = [...new Set(scopes)].sort();
  const row: NewRow = {
    uuid: newUuid(createdAt),
    owner_id: ownerId,
    type,
    name,
    prefix: plaintext.prefix,
    secret_start: digest.start,
    created_at: createdAt,
    expires_at: expiresAt,
    description: description === '' ? null : description,
    metadata: metadataColumn(metadata),
    scope_set_id: await scopeSetId(trx, sortedScopes),
  };
  const [inserted] = await runPrepared(trx, newToken, row);
  if (inserted === undefined) throw new TypeError('the insert gave no id');
  const { id } = inserted;
  await insertSecret(trx, id, digest);
  // Written out: spreading the row takes 50 microseconds, a sixth of the whole request.
  const token: AccessToken = {
    id,
    uuid: toUuid(Buffer.from(row.uuid).toString('hex')),
    type,
    name,
    prefix: row.prefix,
    createdAt,
    expiresAt,
    lastUsedAt: null,
    revokedAt: null,
    description,
    metadata,
    scopes: sortedScopes,
    disabledAt: null,
    previousSecret: null,
  };
  return { plaintext, token };
}

/** The columns that are set when a token is issued. The others are null by default. */
const NEW_COLUMNS = [
  'uuid',
  'owner_id',
  'type',
  'name',
  'prefix',
  'secret_start',
  'created_at',
  'expires_at',
  'description',
  'metadata',
  'scope_set_id',
] as const;

type NewRow = Pick<Selectable<AccessTokenTable>, (typeof NEW_COLUMNS)[number]>;

const newToken = (trx: Queries, row: NewRow) =>
  trx
    .insertInto('access_tokens')
    .values(Object.fromEntries(NEW_COLUMNS.map((column) => [column, row[column]])) as unknown as NewRow)
    .returning('id');
