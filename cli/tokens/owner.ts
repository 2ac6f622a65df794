import {
  type Latchkey,
  LatchkeyError,
  type ListAccessTokensData,
  type User,
  type UserPage,
} from '../../client/index.js';
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
 * The id of a user by the id itself, the e-mail of a person, or the name of a service. Administrators look up among all users,
 * everybody else among the services that they manage. Rejects with `Rejected` unless exactly one has the name.
 */
export async function userId(client: Latchkey, user: string): Promise<number> {
  if (/^\d{1,15}$/.test(user)) return Number(user);
  const found = await idsOf(client, user);
  const [id, ...others] = found;
  if (id === undefined) throw new Rejected(`there is no user ${visible(user)}`);
  if (others.length === 0) return id;
  throw new Rejected(`several users are called ${visible(user)}; use an id: ${found.join(', ')}`);
}

async function idsOf(client: Latchkey, user: string): Promise<number[]> {
  const isMeant = ({ kind, email, fullName }: User) =>
    kind === 'service' ? fullName === user : kind === 'person' && email === user.toLowerCase();
  try {
    return await walk((cursor) => client.listUsers({ query: { q: user, ...cursor } }), isMeant);
  } catch (error) {
    if (!(error instanceof LatchkeyError && error.code === 'insufficient_scope')) throw error;
    const managed = await walk((cursor) => client.listServices({ query: cursor }), isMeant);
    if (managed.length === 0) throw error;
    return managed;
  }
}

/** The ids of all users on the pages that `isMeant` accepts. */
async function walk(
  list: (query: { cursor?: string }) => Promise<UserPage>,
  isMeant: (user: User) => boolean,
): Promise<number[]> {
  const found: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { items, nextCursor } = await list(cursor === undefined ? {} : { cursor });
    found.push(...items.filter(isMeant).map(({ id }) => id));
    cursor = nextCursor;
  }
  return found;
}
