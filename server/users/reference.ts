import { InvalidArgument } from '../config/invalid-argument.js';
import type { Queries } from '../database/index.js';
import type { OwnerKey } from '../tokens/caller.js';
import { canonicalEmail, findOrganization } from './users.js';

/**
 * Finds the user that a text of the command line means: an id, the e-mail of a person, or the name of a service. Rejects with
 * `InvalidArgument` unless it is exactly one.
 */
export async function findReferred(queries: Queries, text: string): Promise<OwnerKey> {
  const users = queries.selectFrom('users').select(['id', 'organization_id']).where('deleted_at', 'is', null);
  const rows = /^\d{1,15}$/.test(text)
    ? await users.where('id', '=', Number(text)).execute()
    : [
        ...(await users.where('email', '=', canonicalEmail(text)).execute()),
        ...(await users
          .where('organization_id', '=', (await findOrganization(queries)) ?? 0)
          .where('kind', '=', 'service')
          .where('full_name', '=', text)
          .execute()),
      ];
  const [row, ...others] = rows;
  if (row === undefined) throw new InvalidArgument(`there is no user ${text}`);
  if (others.length > 0) {
    const ids = rows.map(({ id }) => String(id)).join(', ');
    throw new InvalidArgument(`several users are called ${text}; use an id: ${ids}`);
  }
  return { organizationId: row.organization_id, ownerId: row.id };
}
