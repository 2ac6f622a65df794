import type { TokenState } from '../../../../client/index.js';
import type { Place } from '../../router.js';
import { STATES } from '../../states.js';
import * as texts from '../../words/tokens.js';

export type Sort = keyof typeof texts.sorts;

/** What the address says about the list. */
export interface View {
  state: TokenState;
  q: string;
  scope: string;
  /** Whether only tokens are shown that were never used. */
  neverUsed: boolean;
  sort: Sort;
  /** The owner whose tokens are shown; undefined for the user's own. */
  owner: number | undefined;
}

export function viewOf({ query }: Place): View {
  const state = STATES.find((each) => each === query.get('state')) ?? 'active';
  const sort = Object.keys(texts.sorts).find((each) => each === query.get('sort')) ?? '-createdAt';
  const owner = Number(query.get('owner') ?? '');
  return {
    state,
    q: query.get('q') ?? '',
    scope: query.get('scope') ?? '',
    neverUsed: query.get('unused') !== null,
    sort: sort as Sort,
    owner: Number.isSafeInteger(owner) && owner > 0 ? owner : undefined,
  };
}

/** The filters of a view, as the service takes them. */
export function filtersOf({ q, scope, neverUsed, owner }: View) {
  return {
    tokenType: 'pat' as const,
    ...(q !== '' && { q }),
    ...(scope !== '' && { scope }),
    ...(neverUsed && { neverUsed }),
    ...(owner !== undefined && { owner }),
  };
}
