import type { Latchkey, ListAccessTokensData, TokenFilter } from '../../client/index.js';
import { Refused } from '../failure.js';
import { visible } from '../output/text.js';

/** Which tokens are meant; the names are those of the service, but for three. */
export interface FilterFlags extends Omit<TokenFilter, 'q' | 'tokenType'> {
  search?: string;
  type?: 'pat' | 'session' | 'all';
  owner?: string;
}

const NAMES = [
  'state',
  'scope',
  'createdAfter',
  'createdBefore',
  'expiresAfter',
  'expiresBefore',
  'lastUsedAfter',
  'lastUsedBefore',
  'neverUsed',
] as const satisfies readonly (keyof TokenFilter & keyof FilterFlags)[];

type Query = NonNullable<ListAccessTokensData['query']>;

/** What is sent of the flags, as a list's query and as a filter alike. */
export function filterOf(flags: FilterFlags): TokenFilter {
  const { search, type } = flags;
  const given = NAMES.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]] as const]));
  return {
    ...Object.fromEntries(given),
    ...(search !== undefined && { q: search }),
    ...(type !== undefined && type !== 'all' && { tokenType: type }),
  };
}

/** Whose tokens are meant: an id, or an e-mail address, which administrators can look up; else the caller's own. */
export async function ownerOf(client: Latchkey, owner: string | undefined): Promise<Pick<Query, 'owner'>> {
  if (owner === undefined) return {};
  if (/^\d{1,15}$/.test(owner)) return { owner: Number(owner) };
  const { items } = await client.listUsers({ query: { q: owner } });
  const user = items.find(({ email }) => email === owner.toLowerCase());
  if (user === undefined) throw new Refused(`there is no user ${visible(owner)}`);
  return { owner: user.id };
}
