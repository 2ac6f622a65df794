import { lockOwners } from '../database/index.js';
import type { Deps } from '../deps.js';
import { invalidInput, ServiceError } from '../errors.js';
import { recordNewPassword } from '../events/users.js';
import type { AuthenticatedActor } from '../tokens/actor.js';
import { requireValidCaller } from '../tokens/caller-state.js';
import { findUserForLogin, revokeOf } from './users.js';

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
}

/**
 * Changes the password of the caller's user and revokes their other sessions; personal access tokens stay valid.
 *
 * Rejects with `insufficient_scope` if the caller is no session, with `invalid_input` for a wrong current password, and with
 * `too_many_requests` after too many wrong ones from the actor's address.
 */
export async function changeOwnPassword(deps: Deps, actor: AuthenticatedActor, change: PasswordChange): Promise<void> {
  if (actor.caller.tokenType !== 'session') {
    throw new ServiceError('insufficient_scope', { detail: 'Only a session can change the password.' });
  }
  try {
    await changePassword(deps, actor, change);
  } catch (error) {
    // A thief of the session may try passwords here as others do at the login.
    const isOfPassword = error instanceof ServiceError && ['invalid_input', 'too_many_requests'].includes(error.code);
    if (isOfPassword) deps.events.loginFailed(actor);
    throw error;
  }
}

async function changePassword(
  deps: Deps,
  actor: AuthenticatedActor,
  { currentPassword, newPassword }: PasswordChange,
): Promise<void> {
  const { caller } = actor;
  const { db, now, passwords, loginThrottle } = deps;
  const found = await findUserForLogin(deps, { id: caller.ownerId });
  if (found === undefined) throw new TypeError(`there is no user ${String(caller.ownerId)}`);
  // Counted separately from logins, so that a thief of the session cannot lock its user out.
  const attempt = await loginThrottle.attempt(`password of ${found.user.email}`, actor.address);
  const { passwordHash: currentHash } = found;
  const isRight = await passwords.verify(currentHash, currentPassword, attempt);
  if (!isRight || currentHash === undefined) throw wrongPassword();
  const passwordHash = await passwords.hash(newPassword);
  await db.write(async (trx) => {
    await lockOwners(trx, caller.ownerId);
    const at = now();
    await requireValidCaller(trx, caller, at);
    const changed = await trx
      .updateTable('users')
      .set({ password_hash: passwordHash })
      .where('id', '=', caller.ownerId)
      // The password may have changed while the current one was verified.
      .where('password_hash', '=', currentHash)
      .returning('id')
      .executeTakeFirst();
    if (changed === undefined) throw wrongPassword();
    await recordNewPassword(trx, actor, at, found.user);
    await revokeOf(trx, caller, 'sessions', { at, by: actor, reason: 'password' }, { except: caller.tokenId });
  });
}

function wrongPassword(): ServiceError {
  return invalidInput(['body', 'currentPassword'], 'value_error', 'Input should be the current password');
}
