import { sql } from 'kysely';
import type { User } from '../users/user.js';

// How events name a user: a person by the e-mail, an external owner by its external id alone, so that all else of it can be
// forgotten, and a service by its name.

/** The label of a row of `users`. Only a person has an `email` there. */
export const userLabel = sql<string>`coalesce(email, external_id, full_name)`.as('label');

export function labelOf({ kind, email, externalId, fullName }: User): string {
  if (kind === 'person') return email;
  return kind === 'external' ? (externalId ?? '') : fullName;
}
