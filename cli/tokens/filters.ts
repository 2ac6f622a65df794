import type { Latchkey, ListAccessTokensData, TokenFilter } from '../../client/index.js';
import { Rejected } from '../failure.js';
import { visible } from '../output/text.js';

/** Flags that select tokens. Their names are those of the API, except `search`, `type` and `owner`. */
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

/** Converts the flags to a filter of the API, which is also the query of a list. */
export function filterOf(flags: FilterFlags): TokenFilter {
  const { search, type } = flags;
  const given = NAMES.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]] as const]));
  return {
    ...Object.fromEntries(given),
    ...(search !== undefined && { q: search }),
    ...(type !== undefined && type !== 'all' && { tokenType: type }),
  };
}

/** Converts `--owner`, an id or an e-mail, to a query. An e-mail is looked up, which only administrators may do. */
export async function ownerOf(client: Latchkey, owner: string | undefined): Promise<Pick<Query, 'owner'>> {
  if (owner === undefined) return {};
  if (/^\d{1,15}$/.test(owner)) return { owner: Number(owner) };
  const { items } = await client.listUsers({ query: { q: owner } });
  const user = items.find(({ email }) => email === owner.toLowerCase());
  if (user === undefined) throw new Rejected(`there is no user ${visible(owner)}`);
  return { owner: user.id };
}
