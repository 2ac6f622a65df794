import type { Queries } from '../database/index.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import type { User } from '../users/user.js';
import { differences, type Json } from './changes.js';
import { recordEvent } from './record.js';

/** Writes that a user was added. */
export async function recordNewUser(trx: Queries, actor: Actor, at: number, user: User): Promise<void> {
  await recordEvent(trx, actor, at, {
    action: 'user.created',
    owner: keyOf(user),
    target: user,
    changes: { after: { email: user.email, fullName: user.fullName, isAdmin: user.isAdmin } },
  });
}

/** Writes how a user was changed: that they were disabled or enabled, and their other members that differ. */
export async function recordUser(trx: Queries, actor: Actor, at: number, before: User, after: User): Promise<void> {
  const owner = keyOf(after);
  const wasDisabled = before.disabledAt !== null;
  const isDisabled = after.disabledAt !== null;
  if (wasDisabled !== isDisabled) {
    await recordEvent(trx, actor, at, { action: isDisabled ? 'user.disabled' : 'user.enabled', owner, target: after });
  }
  const changes = differences(editable(before), editable(after));
  if (changes !== undefined)
    await recordEvent(trx, actor, at, { action: 'user.updated', owner, target: after, changes });
}

/** Writes that a user has another password. */
export async function recordNewPassword(trx: Queries, actor: Actor, at: number, user: User): Promise<void> {
  await recordEvent(trx, actor, at, { action: 'user.password_changed', owner: keyOf(user), target: user });
}

/** Writes that a user is offboarded, and what became of the tokens. */
export async function recordOffboarding(
  trx: Queries,
  actor: Actor,
  at: number,
  user: User,
  { to, ...numbers }: { to: number | null; sessions: number; revoked: number; transferred: number; cut: number },
): Promise<void> {
  const { sessions: sessionCount, revoked: revokedCount, transferred: transferredCount, cut: cutCount } = numbers;
  const after = { ...(to !== null && { to }), sessionCount, revokedCount, transferredCount, cutCount };
  await recordEvent(trx, actor, at, {
    action: 'user.offboarded',
    owner: keyOf(user),
    target: user,
    changes: { after },
  });
}

function editable({ fullName, isAdmin }: User): Record<string, Json> {
  return { fullName, isAdmin };
}

function keyOf({ id, organization }: User): OwnerKey {
  return { organizationId: organization.id, ownerId: id };
}
