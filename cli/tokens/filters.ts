import type { TokenFilter } from '../../client/index.js';

/** Flags that select tokens. Their names are those of the API, except `search` and `type`. */
export interface FilterFlags extends Omit<TokenFilter, 'q' | 'tokenType'> {
  search?: string;
  type?: 'pat' | 'session' | 'all';
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

/** The type of the tokens that `tokens list` shows with these flags, where the filter has none. */
export function tokenTypeOf({ type }: FilterFlags): Pick<TokenFilter, 'tokenType'> {
  return type === undefined ? { tokenType: 'pat' } : {};
}
