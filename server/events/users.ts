import type { Queries } from '../database/index.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import type { Offboarded } from '../users/offboarding.js';
import type { User } from '../users/user.js';
import { differences, type Json } from './changes.js';
import { labelOf } from './label.js';
import { recordEvent } from './record.js';

/** Writes that a user was added. */
export async function recordNewUser(trx: Queries, actor: Actor, at: number, user: User): Promise<void> {
  await recordEvent(trx, actor, at, {
    action: 'user.created',
    owner: keyOf(user),
    target: targetOf(user),
    changes: { after: user.kind === 'external' ? { kind: user.kind } : { email: user.email, ...editable(user) } },
  });
}

/**
 * Writes how a user was changed: that they were disabled or enabled, and their other members that differ. Of an external owner
 * the event has only the names of these members, because it outlives the owner.
 */
export async function recordUser(trx: Queries, actor: Actor, at: number, before: User, after: User): Promise<void> {
  const owner = keyOf(after);
  const wasDisabled = before.disabledAt !== null;
  const isDisabled = after.disabledAt !== null;
  if (wasDisabled !== isDisabled) {
    await recordEvent(trx, actor, at, {
      action: isDisabled ? 'user.disabled' : 'user.enabled',
      owner,
      target: targetOf(after),
    });
  }
  const changes = differences(editable(before), editable(after));
  if (changes === undefined) return;
  const shown = after.kind === 'external' ? { after: { changed: Object.keys(changes.after) } } : changes;
  await recordEvent(trx, actor, at, { action: 'user.updated', owner, target: targetOf(after), changes: shown });
}

/** Writes that an external owner was deleted. `user`: the owner before. */
export async function recordDeletedUser(trx: Queries, actor: Actor, at: number, user: User): Promise<void> {
  await recordEvent(trx, actor, at, { action: 'user.deleted', owner: keyOf(user), target: targetOf(user) });
}

/** Writes that a user has another password. */
export async function recordNewPassword(trx: Queries, actor: Actor, at: number, user: User): Promise<void> {
  await recordEvent(trx, actor, at, { action: 'user.password_changed', owner: keyOf(user), target: targetOf(user) });
}

/** Writes that a user is offboarded, and what became of the tokens. */
export async function recordOffboarding(
  trx: Queries,
  actor: Actor,
  at: number,
  user: User,
  { to, ...numbers }: Offboarded & { to: number | null },
): Promise<void> {
  const { sessions: sessionCount, revoked: revokedCount, transferred: transferredCount, cut: cutCount } = numbers;
  const { unmanaged: unmanagedCount } = numbers;
  const after = { ...(to !== null && { to }), sessionCount, revokedCount, transferredCount, cutCount, unmanagedCount };
  await recordEvent(trx, actor, at, {
    action: 'user.offboarded',
    owner: keyOf(user),
    target: targetOf(user),
    changes: { after },
  });
}

function editable({ kind, fullName, email, metadata, isAdmin }: User): Record<string, Json> {
  return kind === 'external' ? { fullName, email, metadata } : { fullName, isAdmin };
}

function targetOf(user: User): { userLabel: string } {
  return { userLabel: labelOf(user) };
}

function keyOf({ id, organization }: User): OwnerKey {
  return { organizationId: organization.id, ownerId: id };
}
