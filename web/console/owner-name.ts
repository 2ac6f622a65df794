import type { User } from '../../client/index.js';

/** How pages name a user: by the name, or if there is none, by the e-mail, the external id or the id. */
export function ownerName({ id, fullName, email, externalId }: User): string {
  return fullName || email || externalId || `#${String(id)}`;
}
