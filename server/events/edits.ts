import type { Queries } from '../database/index.js';
import { toInstantOrNull } from '../instants.js';
import type { Actor } from '../tokens/actor.js';
import type { OwnerKey } from '../tokens/caller.js';
import type { AccessToken } from '../tokens/token.js';
import { differences, type Json } from './changes.js';
import { recordEvent } from './record.js';

/** Writes what an edit of a token changed: the members that differ, and whether earlier secrets ended. Nothing differs: no event. */
export async function recordEdit(
  trx: Queries,
  actor: Actor,
  at: number,
  owner: OwnerKey,
  before: AccessToken,
  after: AccessToken,
): Promise<void> {
  const changes = differences(editable(before), editable(after));
  if (changes !== undefined)
    await recordEvent(trx, actor, at, { action: 'token.updated', owner, target: after, changes });
  const { previousSecret } = before;
  if (previousSecret === null || after.previousSecret !== null) return;
  await recordEvent(trx, actor, at, {
    action: 'token.grace_ended',
    owner,
    target: after,
    changes: { before: { prefix: previousSecret.prefix, validUntil: toInstantOrNull(previousSecret.validUntil) } },
  });
}

/** What a user can edit, as the API shows it. */
function editable({ name, description, metadata, scopes, expiresAt, disabledAt }: AccessToken): Record<string, Json> {
  return { name, description, metadata, scopes, expiresAt: toInstantOrNull(expiresAt), disabled: disabledAt !== null };
}
