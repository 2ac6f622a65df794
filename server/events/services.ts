import type { Queries } from '../database/index.js';
import type { Actor } from '../tokens/actor.js';
import type { User } from '../users/user.js';
import { differences, type Json } from './changes.js';
import { labelOf } from './label.js';
import { recordEvent } from './record.js';

/** A service as events tell of it. */
interface Service {
  user: User;
  managers: readonly number[];
}

/** Writes that a service was added. */
export async function recordNewService(trx: Queries, actor: Actor, at: number, service: Service): Promise<void> {
  const { user } = service;
  await recordEvent(trx, actor, at, {
    action: 'user.created',
    owner: { organizationId: user.organization.id, ownerId: user.id },
    target: { userLabel: labelOf(user) },
    changes: { after: { kind: user.kind, fullName: user.fullName, ...editable(service) } },
  });
}

/** Writes which of managers and ceiling of a service were changed; nothing differs: no event. */
export async function recordServiceEdit(
  trx: Queries,
  actor: Actor,
  at: number,
  before: Service,
  after: Service,
): Promise<void> {
  const { user } = after;
  const changes = differences(editable(before), editable(after));
  if (changes === undefined) return;
  const owner = { organizationId: user.organization.id, ownerId: user.id };
  await recordEvent(trx, actor, at, { action: 'user.updated', owner, target: { userLabel: labelOf(user) }, changes });
}

function editable({ user, managers }: Service): Record<string, Json> {
  return { managers, scopes: user.scopes };
}
