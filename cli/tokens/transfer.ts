import type { Transfer } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { visible } from '../output/text.js';
import { type BulkFlags, changeTogether, requireOneWay } from './bulk.js';
import { type FilterFlags, filterOf, tokenTypeOf } from './filters.js';
import { findTokens } from './find.js';
import { type OwnerFlags, ownerQuery, userId } from './owner.js';

export interface TransferFlags extends RemoteFlags, FilterFlags, OwnerFlags, BulkFlags {
  to: string;
  cutScopes?: boolean;
}

export async function transferTokens(selectors: readonly string[], flags: TransferFlags): Promise<void> {
  const { to, cutScopes = false } = flags;
  const filter = filterOf(flags);
  requireOneWay(selectors, filter, 'transfer');
  const deed = { verb: 'move', done: 'moved', warning: ` to ${visible(to)}` };
  await withConnection(flags, async ({ client }) => {
    const query = await ownerQuery(client, flags);
    const toId = await userId(client, to);
    const transfer = (body: Pick<Transfer, 'ids' | 'filter' | 'excludeCurrent'>, several: boolean) =>
      changeTogether(
        deed,
        (dryRun) => client.transferAccessTokens({ query, body: { ...body, to: toId, cutScopes, dryRun } }),
        ({ transferredCount: count, cutCount, complete }) => ({
          count,
          more: ` to ${visible(to)}${cutCount === 0 ? '' : `, ${String(cutCount)} of them without some scopes`}${complete ? '' : '; more are left: do it again'}`,
        }),
        { several, flags },
      );
    if (selectors.length === 0) {
      await transfer({ filter: { ...filter, ...tokenTypeOf(flags) } }, true);
      return;
    }
    const ids = (await findTokens(client, selectors, query)).map(({ id }) => id);
    await transfer({ ids, excludeCurrent: false }, ids.length > 1);
  });
}
