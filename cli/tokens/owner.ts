import type { Latchkey, ListAccessTokensData } from '../../client/index.js';
import { Rejected, WrongUse } from '../failure.js';
import { visible } from '../output/text.js';

/** Flags that name the owner of tokens: a user, or an owner that the operator's own system knows. */
export interface OwnerFlags {
  owner?: string;
  externalOwner?: string;
}

/** The owner as the API takes it; neither for the one who is logged in. */
export type OwnerQuery = Pick<NonNullable<ListAccessTokensData['query']>, 'owner' | 'externalOwner'>;

/** Converts the flags to a query. Rejects with `WrongUse` for both. */
export async function ownerQuery(client: Latchkey, { owner, externalOwner }: OwnerFlags): Promise<OwnerQuery> {
  if (owner !== undefined && externalOwner !== undefined) {
    throw new WrongUse('use either --owner or --external-owner');
  }
  if (externalOwner !== undefined) return { externalOwner };
  return owner === undefined ? {} : { owner: await userId(client, owner) };
}

/**
 * The id of a user by the id itself, the e-mail of a person, or the name of a service. E-mail and name are looked up, which only
 * administrators may do. Rejects with `Rejected` unless exactly one user has it.
 */
export async function userId(client: Latchkey, user: string): Promise<number> {
  if (/^\d{1,15}$/.test(user)) return Number(user);
  const found: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { items, nextCursor } = await client.listUsers({
      query: { q: user, ...(cursor !== undefined && { cursor }) },
    });
    for (const { id, kind, email, fullName } of items) {
      const isMeant = kind === 'service' ? fullName === user : kind === 'person' && email === user.toLowerCase();
      if (isMeant) found.push(id);
    }
    cursor = nextCursor;
  }
  const [id, ...others] = found;
  if (id === undefined) throw new Rejected(`there is no user ${visible(user)}`);
  if (others.length === 0) return id;
  throw new Rejected(`several users are called ${visible(user)}; use an id: ${found.join(', ')}`);
}
