import type { AccessToken, ListAccessTokensData } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { lookOf } from '../output/look.js';
import { note, print } from '../output/print.js';
import { table } from '../output/table.js';
import { toJson } from '../output/text.js';
import { SHORT, WIDE } from './describe.js';
import { type FilterFlags, filterOf } from './filters.js';
import { type OwnerFlags, ownerQuery } from './owner.js';

export interface ListFlags extends RemoteFlags, FilterFlags, OwnerFlags {
  all?: boolean;
  sort?: NonNullable<NonNullable<ListAccessTokensData['query']>['sort']>;
  limit?: number;
  wide?: boolean;
}

const LARGEST_PAGE = 200;

export async function listTokens(flags: ListFlags): Promise<void> {
  const { all = false, sort, limit = Number.POSITIVE_INFINITY, json = false, wide = false } = flags;
  await withConnection(flags, async ({ client }) => {
    const query = {
      ...filterOf({ ...flags, type: flags.type ?? 'pat' }),
      ...(await ownerQuery(client, flags)),
      ...(sort !== undefined && { sort }),
      includeRevoked: all,
      limit: Math.min(limit, LARGEST_PAGE),
    };
    const tokens: AccessToken[] = [];
    for await (const token of client.accessTokens.all(query)) {
      tokens.push(token);
      if (tokens.length >= limit) break;
    }
    if (json) print(toJson(tokens));
    else printTable(tokens, flags, wide);
  });
}

function printTable(tokens: readonly AccessToken[], flags: ListFlags, wide: boolean): void {
  const look = lookOf(flags);
  if (tokens.length === 0) {
    if (look.forPeople) note('no tokens');
    return;
  }
  const exact = wide || !look.forPeople;
  print(table(exact ? WIDE : SHORT, tokens, look, { whole: wide }));
}
