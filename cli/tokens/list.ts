import type { AccessToken } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { lookOf } from '../output/look.js';
import { note, print } from '../output/print.js';
import { table } from '../output/table.js';
import { toJson } from '../output/text.js';
import { SHORT, WIDE } from './describe.js';

export interface ListFlags extends RemoteFlags {
  type: 'pat' | 'session' | 'all';
  all?: boolean;
  limit?: number;
  wide?: boolean;
}

export async function listTokens(flags: ListFlags): Promise<void> {
  const { type, all = false, limit = Number.POSITIVE_INFINITY, json, wide = false } = flags;
  await withConnection(flags, async ({ client }) => {
    const tokens: AccessToken[] = [];
    const filters = { includeRevoked: all, ...(type !== 'all' && { tokenType: type }) };
    for await (const token of client.accessTokens.all({ ...filters, limit: Math.min(limit, 200) })) {
      tokens.push(token);
      if (tokens.length >= limit) break;
    }
    if (json === true) {
      print(toJson(tokens));
      return;
    }
    const look = lookOf(flags);
    if (tokens.length === 0) {
      if (look.forPeople) note('no tokens');
      return;
    }
    const exact = wide || !look.forPeople;
    print(table(exact ? WIDE : SHORT, tokens, wide ? { ...look, width: Number.POSITIVE_INFINITY } : look));
  });
}
