import { type Build, hexOf, type Queries, runPrepared, type TokenType, type UserKind } from '../database/index.js';
import type { Deps } from '../deps.js';
import { toUuid } from '../uuid.js';
import type { Actor } from './actor.js';
import type { OwnerKey } from './caller.js';
import { isActiveAdmin, stoppedAt } from './leaving.js';
import type { Digest, Plaintext } from './plaintext.js';
import { type Holder, holds, toScopes } from './scopes.js';
import { type AccessToken, scopesOfRow, TOKEN_COLUMNS, type TokenRow, toAccessToken, toMetadata } from './token.js';

/** Why a secret is not valid. The log names the reason; the 401 that the caller gets does not name the reason. */
export type InvalidReason =
  | 'malformed'
  | 'unknown'
  | 'revoked'
  | 'secret_ended'
  | 'expired'
  | 'disabled'
  | 'owner_disabled'
  | 'insufficient_scope';

/** The request that presents a secret. A warning in the log names its id. */
type Presenter = Pick<Actor, 'requestId'>;

/** A secret that was found in the database, together with its token and the token's owner. */
export interface ProvenSecret extends Holder, OwnerKey {
  id: number;
  uuid: string;
  digest: Digest;
  /** False for an earlier secret of a rotated token. */
  isNewest: boolean;
  /**
   * When this secret expires, in milliseconds since 1970; null for never. An earlier secret of a rotated token expires
   * at the end of its grace period, which can be before the token expires.
   */
  expiresAt: number | null;
}

/** The result of `verifyToken`. `secret` is there whenever the secret was found in the database. */
export type Verdict =
  | { valid: true; secret: ProvenSecret }
  | { valid: false; reason: InvalidReason; secret?: ProvenSecret };

interface SecretRow {
  id: number;
  /** 32 hexadecimal digits. */
  uuid: string;
  type: TokenType;
  organization_id: number;
  owner_id: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
  disabled_at: number | null;
  previous_last_used_at: number | null;
  valid_until: number | null;
  owner_disabled_at: number | null;
  is_admin: number;
  scopes: string | null;
}

const secretsWithOwners = (read: Queries) =>
  read
    .selectFrom('token_secrets as secret')
    .innerJoin('access_tokens as token', 'token.id', 'secret.token_id')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .select(['token.organization_id', 'token.owner_id', 'secret.valid_until'])
    .select((eb) => [stoppedAt(eb).as('owner_disabled_at'), isActiveAdmin(eb).as('is_admin')])
    .select([hexOf('token.uuid').as('uuid'), scopesOfRow]);

const secretByDigest = (read: Queries, { digest }: { digest: Uint8Array }) =>
  secretsWithOwners(read)
    .select(['token.id', 'token.type', 'token.expires_at', 'token.last_used_at', 'token.revoked_at'])
    .select(['token.disabled_at', 'token.previous_last_used_at'])
    .where('secret.digest', '=', digest);

/**
 * Looks up whether `plaintext` is a valid token now, and whose token it is. Queries the database for every well-formed
 * plaintext and caches nothing, so that a revocation takes effect in every process as soon as the revocation is
 * answered.
 *
 * The reason for a refresh token is `malformed`: a refresh token is not a credential for requests. Rejects only if the
 * database does not answer.
 */
export async function verifyToken(deps: Deps, by: Presenter, plaintext: Plaintext): Promise<Verdict> {
  const digest = digestOfToken(deps, plaintext);
  if (digest === undefined) return { valid: false, reason: 'malformed' };
  const [row] = await runPrepared(deps.db.read, secretByDigest, { digest: digest.bytes });
  if (row === undefined) return { valid: false, reason: 'unknown' };
  const secret = toProvenSecret(row, digest);
  const reason = judge(deps, by, row, digest, deps.now());
  return reason === null ? { valid: true, secret } : { valid: false, reason, secret };
}

/** A plaintext to verify, and the scopes that its token must have; none by default. */
export interface Question {
  plaintext: Plaintext;
  scopes?: readonly string[] | undefined;
}

/** The result for one question. `reason` is null if the plaintext is valid; `proven` is null if no token was found. */
export interface Verification {
  reason: InvalidReason | null;
  proven: { token: AccessToken; owner: TokenOwner; expiresAt: number | null } | null;
}

/** The user who owns a verified token. */
export interface TokenOwner {
  id: number;
  kind: UserKind;
  /** Null unless the owner is external. */
  externalId: string | null;
  /** Empty if the owner has no e-mail. */
  email: string;
  fullName: string;
  metadata: Record<string, string>;
  organizationUuid: string;
}

/**
 * Verifies up to 100 tokens with one query and returns the results in the order of `questions`. Rejects only if the
 * database does not answer.
 */
export async function verifyTokens<const Questions extends readonly Question[]>(
  deps: Deps,
  by: Presenter,
  questions: Questions,
): Promise<{ [Index in keyof Questions]: Verification }> {
  const digests = questions.map(({ plaintext }) => digestOfToken(deps, plaintext));
  const rows = await findProven(
    deps,
    digests.flatMap((digest) => (digest === undefined ? [] : [digest.bytes])),
  );
  const byDigest = new Map(rows.map((row) => [row.digest, row]));
  const at = deps.now();
  const verifications = digests.map((digest, index): Verification => {
    if (digest === undefined) return { reason: 'malformed', proven: null };
    const row = byDigest.get(digest.hex);
    if (row === undefined) return { reason: 'unknown', proven: null };
    return { reason: judge(deps, by, row, digest, at, questions[index]?.scopes), proven: toProven(row) };
  });
  return verifications as { [Index in keyof Questions]: Verification };
}

type ProvenRow = SecretRow &
  TokenRow & {
    digest: string;
    kind: UserKind;
    external_id: string | null;
    email: string | null;
    contact_email: string | null;
    full_name: string;
    owner_metadata: string | null;
    organization_uuid: string;
  };

async function findProven({ db }: Deps, digests: Uint8Array[]): Promise<ProvenRow[]> {
  if (digests.length === 0) return [];
  return await runPrepared(db.read, provenByDigests(digests.length), digests);
}

/** One prepared query for each number of digests, 1 to 100. The text of a query has one placeholder for each digest. */
const provenQueries: Build<Uint8Array[], ProvenRow>[] = [];

function provenByDigests(count: number): Build<Uint8Array[], ProvenRow> {
  return (provenQueries[count] ??= (read, digests) =>
    provenSecrets(read).where(
      'secret.digest',
      'in',
      Array.from({ length: count }, (_, index) => digests[index] ?? new Uint8Array()),
    ));
}

const provenSecrets = (read: Queries) =>
  secretsWithOwners(read)
    .innerJoin('organizations as organization', 'organization.id', 'token.organization_id')
    .select(TOKEN_COLUMNS.map((column) => `token.${column}` as const))
    .select(['owner.kind', 'owner.external_id', 'owner.email', 'owner.contact_email', 'owner.full_name'])
    .select('owner.metadata as owner_metadata')
    .select([hexOf('secret.digest').as('digest'), hexOf('organization.uuid').as('organization_uuid')]);

/**
 * Returns the digest to look a token up by. Returns undefined for a refresh token, and for a text whose brand, form or
 * checksum shows that it is no token of this service; then no query is needed.
 */
function digestOfToken({ config }: Deps, plaintext: Plaintext): Digest | undefined {
  const kind = plaintext.kind(config.brand);
  return kind === 'pat' || kind === 'ses' ? plaintext.digest() : undefined;
}

/**
 * Returns why the secret is not valid at the instant `at`, or null if the secret is valid. Records the use of a valid
 * secret. Logs a warning for an earlier secret of a personal access token that has ended, because a thief may have sent it.
 */
function judge(
  { lastUsed, log }: Deps,
  { requestId }: Presenter,
  row: SecretRow,
  digest: Digest,
  at: number,
  scopes: readonly string[] = [],
): InvalidReason | null {
  const reason = reasonOf(row, at, scopes);
  if (reason === null) {
    const stored = row.valid_until === null ? row.last_used_at : row.previous_last_used_at;
    lastUsed.note({ tokenId: row.id, digest }, stored, at);
  }
  // No warning for sessions: a session gets a new secret about every hour, so an ended secret is nothing unusual.
  if (reason === 'secret_ended' && row.type === 'pat') {
    const used = { tokenId: toUuid(row.uuid), userId: row.owner_id, requestId };
    log.warn(used, 'earlier secret of a rotated token used after its grace period');
  }
  return reason;
}

function reasonOf(row: SecretRow, at: number, scopes: readonly string[]): InvalidReason | null {
  if (row.revoked_at !== null) return 'revoked';
  if (isOver(row.valid_until, at)) return 'secret_ended';
  if (isOver(row.expires_at, at)) return 'expired';
  if (row.disabled_at !== null) return 'disabled';
  if (row.owner_disabled_at !== null) return 'owner_disabled';
  const holder = scopes.length > 0 ? toHolder(row) : undefined;
  return holder === undefined || scopes.every((scope) => holds(holder, scope)) ? null : 'insufficient_scope';
}

function toProvenSecret(row: SecretRow, digest: Digest): ProvenSecret {
  return {
    id: row.id,
    type: row.type,
    scopes: toScopes(row.scopes ?? ''),
    ownerIsAdmin: row.is_admin === 1,
    organizationId: row.organization_id,
    ownerId: row.owner_id,
    uuid: toUuid(row.uuid),
    digest,
    isNewest: row.valid_until === null,
    expiresAt: endOf(row),
  };
}

function toHolder({ type, scopes, is_admin: isAdmin }: SecretRow): Holder {
  return { type, scopes: toScopes(scopes ?? ''), ownerIsAdmin: isAdmin === 1 };
}

function toProven(row: ProvenRow): NonNullable<Verification['proven']> {
  return {
    token: toAccessToken(row),
    owner: {
      id: row.owner_id,
      kind: row.kind,
      externalId: row.external_id,
      email: row.email ?? row.contact_email ?? '',
      fullName: row.full_name,
      metadata: toMetadata(row.owner_metadata),
      organizationUuid: toUuid(row.organization_uuid),
    },
    expiresAt: endOf(row),
  };
}

/**
 * Whether the instant `end` has been reached at the instant `at`, both in milliseconds since 1970. Null means never.
 */
export function isOver(end: number | null, at: number): boolean {
  return end !== null && end <= at;
}

function endOf({ expires_at: expiresAt, valid_until }: SecretRow): number | null {
  const validUntil = valid_until === null ? null : Math.abs(valid_until);
  if (expiresAt === null || validUntil === null) return expiresAt ?? validUntil;
  return Math.min(expiresAt, validUntil);
}
