import type { User } from '../../client/index.js';

/** What is known of an owner at most places. */
export type Named = Pick<User, 'id' | 'fullName' | 'email'> & { externalId?: string | null };

/** How pages name a user: by the name, or if there is none, by the e-mail, the external id or the id. */
export function ownerName({ id, fullName, email, externalId }: Named): string {
  return fullName || email || externalId || `#${String(id)}`;
}
