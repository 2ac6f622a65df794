import { InvalidArgument } from '../config/invalid-argument.js';
import type { Queries } from '../database/index.js';
import type { OwnerKey } from '../tokens/caller.js';
import { canonicalEmail } from './users.js';

/**
 * Finds the user that a text of the command line means: an id, the e-mail of a person, or the name of a service. Rejects with
 * `InvalidArgument` unless it is exactly one.
 */
export async function findReferred(queries: Queries, text: string): Promise<OwnerKey> {
  const users = queries.selectFrom('users').select(['id', 'organization_id']);
  const rows = await (/^\d{1,15}$/.test(text)
    ? users.where('id', '=', Number(text))
    : users.where(({ or, and, eb }) =>
        or([eb('email', '=', canonicalEmail(text)), and([eb('kind', '=', 'service'), eb('full_name', '=', text)])]),
      )
  ).execute();
  const [row, ...others] = rows;
  if (row === undefined) throw new InvalidArgument(`there is no user ${text}`);
  if (others.length > 0) {
    const ids = rows.map(({ id }) => String(id)).join(', ');
    throw new InvalidArgument(`several users are called ${text}; use an id: ${ids}`);
  }
  return { organizationId: row.organization_id, ownerId: row.id };
}
