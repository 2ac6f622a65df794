import type { BulkRevocation } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { note } from '../output/print.js';
import { type BulkFlags, changeTogether, requireOneWay } from './bulk.js';
import { type FilterFlags, filterOf, tokenTypeOf } from './filters.js';
import { findTokens } from './find.js';
import { type OwnerFlags, ownerQuery } from './owner.js';

export type RevokeFlags = RemoteFlags & FilterFlags & OwnerFlags & BulkFlags;

const REVOKE = { verb: 'revoke', done: 'revoked', warning: ' for good' };

export async function revokeTokens(selectors: readonly string[], flags: RevokeFlags): Promise<void> {
  const filter = filterOf(flags);
  requireOneWay(selectors, filter, 'revoke');
  await withConnection(flags, async ({ client, profile }) => {
    const query = await ownerQuery(client, flags);
    const revoke = (body: BulkRevocation, several: boolean) =>
      changeTogether(
        REVOKE,
        (dryRun) => client.revokeAccessTokens({ query, body: { ...body, dryRun } }),
        ({ revokedCount: count }) => ({ count }),
        { several, flags },
      );
    if (selectors.length === 0) {
      await revoke({ filter: { ...filter, ...tokenTypeOf(flags) } }, true);
      return;
    }
    // All tokens are found before any is revoked, so a misspelt name changes nothing. A named token may be the one in use.
    const ids = (await findTokens(client, selectors, query)).map(({ id }) => id);
    await revoke({ ids, excludeCurrent: false }, ids.length > 1);
    if (profile !== undefined && ids.includes(profile.tokenId) && flags.dryRun !== true) {
      note(`latchkey: this has revoked the login of profile ${profile.name}`);
    }
  });
}
