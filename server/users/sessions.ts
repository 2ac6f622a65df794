import { hexOf, lockOwnerFoundBy, lockOwners, type Queries } from '../database/index.js';
import type { Deps } from '../deps.js';
import { ServiceError, unauthorized } from '../errors.js';
import { recordEvent } from '../events/record.js';
import { REVOKED_COLUMNS, recordRevocation } from '../events/revocations.js';
import type { Actor, AuthenticatedActor } from '../tokens/actor.js';
import { changeToken } from '../tokens/changeable.js';
import { insertToken } from '../tokens/issue.js';
import { newPlaintext, type Plaintext } from '../tokens/plaintext.js';
import { revoked } from '../tokens/revocation.js';
import { scopesOfUser } from '../tokens/scopes.js';
import { ownerByRefreshToken, replaceSecret } from '../tokens/secrets.js';
import { readUser, type User } from './user.js';
import { canonicalEmail, findUserForLogin, findUserToLogIn } from './users.js';

// A session is one access token of type `session`. A refresh gives that token a new secret, so that the session stays one
// row in its owner's list. Revoking the token ends its refresh tokens too.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Milliseconds in which a page may repeat a refresh whose answer was lost. */
const REPETITION = 10_000;

export interface OpenedSession {
  user: User;
  accessToken: Plaintext;
  refreshToken: Plaintext;
  /** Milliseconds for which the access token is valid. */
  lifetime: number;
}

/**
 * Opens a session for the user of `email`.
 *
 * Rejects with `unauthorized` for an unknown e-mail or a wrong password, with the same answer after the same time; with
 * `user_disabled` if the password is right but the user disabled; with `too_many_requests` after too many failures from the
 * actor's address.
 */
export async function logIn(deps: Deps, actor: Actor, email: string, password: string): Promise<OpenedSession> {
  try {
    return await openSession(deps, actor, email, password);
  } catch (error) {
    if (error instanceof ServiceError && error.status < 500) deps.events.loginFailed(actor);
    throw error;
  }
}

async function openSession(deps: Deps, actor: Actor, email: string, password: string): Promise<OpenedSession> {
  const { db, config, now, passwords, loginThrottle } = deps;
  const attempt = await loginThrottle.attempt(canonicalEmail(email), actor.address);
  const found = await findUserForLogin(deps, { email });
  if (!(await passwords.verify(found?.passwordHash, password, attempt)) || found === undefined) throw loginFailed();

  const lifetime = config.sessionMinutes * MINUTE;
  return await db.write(async (trx) => {
    await lockOwners(trx, found.user.id);
    const at = now();
    // Read again: the password may have changed, or the user been disabled, while the password was verified.
    const user = await findUserToLogIn(trx, found);
    if (user === undefined) throw loginFailed();
    if (user.disabledAt !== null) throw new ServiceError('user_disabled');
    const { plaintext, token, hasId } = await insertToken(deps, trx, actor, {
      owner: { organizationId: user.organization.id, ownerId: user.id },
      type: 'session',
      name: 'session',
      createdAt: at,
      expiresAt: at + lifetime,
      scopes: scopesOfUser(user.isAdmin),
    });
    await hasId;
    const refreshToken = await insertRefreshToken(deps, trx, token.id, at);
    const owner = { organizationId: user.organization.id, ownerId: user.id };
    await recordEvent(trx, actor, at, { action: 'session.opened', owner, target: token });
    return { user, accessToken: plaintext, refreshToken, lifetime };
  });
}

function loginFailed(): ServiceError {
  return unauthorized('login_failed', { credentialSent: false, detail: 'Wrong e-mail or password.' });
}

/**
 * Spends `refreshToken` and gives its session a new pair of tokens. The earlier access token stays valid until its own
 * expiry. Rejects with `unauthorized` unless the token is the session's latest refresh token. A spent one also revokes the
 * session, because two parties have it. With `mayRepeat`, the last spent token passes once more within 10 seconds, unless
 * its successor has been used; then the successor is spent in its place.
 */
export async function refreshSession(
  deps: Deps,
  actor: Actor,
  refreshToken: Plaintext,
  { mayRepeat = false } = {},
): Promise<OpenedSession> {
  const { db, config, log, now } = deps;
  if (refreshToken.kind(config.brand) !== 'ref') throw refreshFailed('malformed');
  const digest = refreshToken.digest().bytes;
  const lifetime = config.sessionMinutes * MINUTE;

  let reused: { sessionToken: number; userId: number; requestId: string | null } | undefined;
  const outcome = await db.write(async (trx) => {
    reused = undefined;
    await lockOwnerFoundBy(trx, ownerByRefreshToken, { digest });
    const at = now();
    const found = await findRefreshToken(trx, digest);
    if (found === undefined) return refreshFailed('unknown');
    if (found.revoked_at !== null) return refreshFailed('revoked');
    if (found.spent_at !== null && !(mayRepeat && (await isLastSpent(trx, found, at)))) {
      const revocation = { at, by: actor, reason: 'reuse' } as const;
      const row = await trx
        .updateTable('access_tokens')
        .set(revoked(revocation))
        .where('id', '=', found.id)
        .where('revoked_at', 'is', null)
        .returning(REVOKED_COLUMNS)
        .executeTakeFirst();
      if (row !== undefined) await recordRevocation(trx, revocation, row, 'session.refresh_reused');
      reused = { sessionToken: found.id, userId: found.owner_id, requestId: actor.requestId };
      return refreshFailed('spent');
    }
    if (found.expires_at <= at) return refreshFailed('expired');
    if (found.disabled_at !== null) return refreshFailed('disabled');
    if (found.owner_disabled_at !== null) return refreshFailed('owner_disabled');

    // The session has one unspent token: this one, or the successor that got lost.
    await trx
      .updateTable('refresh_tokens')
      .set({ spent_at: at })
      .where('token_id', '=', found.id)
      .where('spent_at', 'is', null)
      .execute();
    const accessToken = newPlaintext(config.brand, 'ses');
    await dropExpired(trx, found.id, at);
    const replaced = await replaceSecret(trx, found, accessToken, found.access_expires_at ?? at, at);
    await changeToken(trx, found, { ...replaced, expires_at: at + lifetime });
    const refreshed = await insertRefreshToken(deps, trx, found.id, at);
    return { user: await readUser(trx, found.owner_id), accessToken, refreshToken: refreshed, lifetime };
  });
  if (reused !== undefined) log.warn(reused, 'spent refresh token reused; session revoked');
  // Thrown here, because an error within the transaction would undo the revocation.
  if (outcome instanceof ServiceError) throw outcome;
  return outcome;
}

/** Revokes the actor's session. A personal access token stays valid. */
export async function logOut({ db, now }: Deps, actor: AuthenticatedActor): Promise<void> {
  await db.write(async (trx) => {
    await lockOwners(trx, actor.caller.ownerId);
    const revocation = { at: now(), by: actor, reason: 'logout' } as const;
    const row = await trx
      .updateTable('access_tokens')
      .set(revoked(revocation))
      .where('id', '=', actor.caller.tokenId)
      .where('type', '=', 'session')
      .where('revoked_at', 'is', null)
      .returning(REVOKED_COLUMNS)
      .executeTakeFirst();
    if (row !== undefined) await recordRevocation(trx, revocation, row, 'session.closed');
  });
}

function refreshFailed(reason: string): ServiceError {
  return unauthorized(reason, { credentialSent: true, detail: 'The refresh token is not valid.' });
}

async function findRefreshToken(trx: Queries, digest: Uint8Array) {
  return await trx
    .selectFrom('refresh_tokens as refresh')
    .innerJoin('access_tokens as token', 'token.id', 'refresh.token_id')
    .innerJoin('users as owner', 'owner.id', 'token.owner_id')
    .select([
      'refresh.digest',
      'refresh.expires_at',
      'refresh.spent_at',
      'token.id',
      'token.version',
      'token.owner_id',
      'token.expires_at as access_expires_at',
      'token.revoked_at',
      'token.disabled_at',
      'token.prefix',
      'token.last_used_at',
      'owner.disabled_at as owner_disabled_at',
    ])
    .select(hexOf('token.secret_start').as('secret_start'))
    .where('refresh.digest', '=', digest)
    .executeTakeFirst();
}

/** Whether a refresh token was spent just now, and no other one of its session since. */
async function isLastSpent(
  trx: Queries,
  { id, digest, spent_at: spentAt }: { id: number; digest: Uint8Array; spent_at: number | null },
  at: number,
): Promise<boolean> {
  if (spentAt === null || at - spentAt > REPETITION) return false;
  const later = await trx
    .selectFrom('refresh_tokens')
    .select('digest')
    .where('token_id', '=', id)
    .where('digest', '!=', digest)
    .where('spent_at', '>=', spentAt)
    .executeTakeFirst();
  return later === undefined;
}

/** Deletes the session's expired secrets and refresh tokens. Nobody needs to know about their use. */
async function dropExpired(trx: Queries, tokenId: number, at: number): Promise<void> {
  await trx.deleteFrom('token_secrets').where('token_id', '=', tokenId).where('valid_until', '<=', at).execute();
  await trx.deleteFrom('refresh_tokens').where('token_id', '=', tokenId).where('expires_at', '<=', at).execute();
}

async function insertRefreshToken({ config }: Deps, trx: Queries, tokenId: number, at: number): Promise<Plaintext> {
  const plaintext = newPlaintext(config.brand, 'ref');
  await trx
    .insertInto('refresh_tokens')
    .values({
      digest: plaintext.digest().bytes,
      token_id: tokenId,
      expires_at: at + config.refreshDays * DAY,
    })
    .execute();
  return plaintext;
}
