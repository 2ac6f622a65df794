import type { User as WireUser } from '../../generated/types.gen.js';
import type { Handlers } from '../contract/contract.js';
import type { Deps } from '../deps.js';
import { toInstant } from '../instants.js';
import { createUser, editUser, findUser, listUserPage } from '../users/directory.js';
import { deleteExternal, findExternal, putExternal } from '../users/external.js';
import { managersOf } from '../users/managers.js';
import { offboardUser } from '../users/offboard.js';
import { createService, editService, listManagedPage } from '../users/services.js';
import type { User } from '../users/user.js';

export const users = {
  async listUsers(deps, { caller, query: { kind, q, unmanaged = false, manages, limit, cursor } }) {
    const wish = { kind, unmanaged, manages, q, limit, cursor };
    const { users, nextCursor } = await listUserPage(deps, caller, wish);
    return { body: { items: await toWireUsers(deps, users), nextCursor } };
  },

  async createUser(deps, { actor, body: { email, fullName = '', isAdmin = false, password } }) {
    const created = await createUser(deps, actor, { email, fullName, isAdmin, password });
    const user = toWireUser(created.user);
    return { headers: { Location: `/api/v1/users/${String(user.id)}` }, body: { user, password: created.password } };
  },

  async getUser(deps, { caller, path }) {
    return { body: await withManagers(deps, await findUser(deps, caller, path.user_id)) };
  },

  async updateUser(deps, { actor, path, body, conditions }) {
    return { body: await withManagers(deps, await editUser(deps, actor, path.user_id, body, conditions)) };
  },

  async offboardUser(deps, { caller, actor, path, body: { to: toId = null, cutScopes = false, dryRun = false } }) {
    const user = { organizationId: caller.organizationId, ownerId: path.user_id };
    const offboarded = await offboardUser(deps, actor, user, { toId, cutScopes, dryRun });
    const { sessions: sessionCount, revoked: revokedCount, transferred: transferredCount, cut: cutCount } = offboarded;
    const { unmanaged: unmanagedCount } = offboarded;
    return { body: { sessionCount, revokedCount, transferredCount, cutCount, unmanagedCount, dryRun } };
  },

  async listServices(deps, { caller, query: { limit, cursor } }) {
    const { services, nextCursor } = await listManagedPage(deps, caller, { limit, cursor });
    return { body: { items: await toWireUsers(deps, services), nextCursor } };
  },

  async createService(deps, { actor, body: { fullName, managers = [], scopes = null } }) {
    const { user, managers: ids } = await createService(deps, actor, { name: fullName, managers, scopes });
    return { headers: { Location: `/api/v1/users/${String(user.id)}` }, body: toWireUser(user, ids) };
  },

  async updateService(deps, { actor, path, body }) {
    const { user, managers } = await editService(deps, actor, path.service_id, body);
    return { body: toWireUser(user, managers) };
  },

  async getExternalUser(deps, { caller, path }) {
    return { body: toWireUser(await findExternal(deps, caller, path.external_id)) };
  },

  async putExternalUser(deps, { actor, path, body, conditions }) {
    const { user, isNew } = await putExternal(deps, actor, path.external_id, body, conditions);
    if (!isNew) return { body: toWireUser(user) };
    const headers = { Location: `/api/v1/users/external/${encodeURIComponent(path.external_id)}` };
    return { status: 201, headers, body: toWireUser(user) };
  },

  async deleteExternalUser(deps, { actor, path, conditions }) {
    await deleteExternal(deps, actor, path.external_id, conditions);
    return {};
  },
} satisfies Partial<Handlers>;

async function withManagers(deps: Deps, user: User): Promise<WireUser> {
  const [wire] = await toWireUsers(deps, [user]);
  return wire ?? toWireUser(user);
}

/** Shows users together with the managers of services, which one query finds. */
async function toWireUsers({ db }: Deps, users: readonly User[]): Promise<WireUser[]> {
  const services = users.filter(({ kind }) => kind === 'service').map(({ id }) => id);
  const managers = await managersOf(db.read, services);
  return users.map((user) => toWireUser(user, managers.get(user.id)));
}

function toWireUser(user: User, managers: number[] = []): WireUser {
  return {
    id: user.id,
    kind: user.kind,
    externalId: user.externalId,
    email: user.email || null,
    fullName: user.fullName,
    metadata: user.metadata,
    managers,
    scopes: user.scopes === null ? null : [...user.scopes],
    isAdmin: user.isAdmin,
    disabled: user.disabledAt !== null,
    createdAt: toInstant(user.createdAt),
  };
}
