import type { BulkRevocation, BulkRevoked } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { Rejected, WrongUse } from '../failure.js';
import { note, print } from '../output/print.js';
import { toJson, visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import { type FilterFlags, filterOf, ownerOf } from './filters.js';
import { findTokens } from './find.js';

export interface RevokeFlags extends RemoteFlags, FilterFlags {
  dryRun?: boolean;
  yes?: boolean;
}

type Revoke = (dryRun: boolean) => Promise<BulkRevoked>;

/** Most tokens that are listed before they are revoked. */
const MOST_NAMED = 20;

export async function revokeTokens(selectors: readonly string[], flags: RevokeFlags): Promise<void> {
  const filter = filterOf(flags);
  if (selectors.length > 0 === Object.keys(filter).length > 0) {
    throw new WrongUse('either name tokens or give filters: see latchkey tokens revoke --help');
  }
  await withConnection(flags, async ({ client, profile }) => {
    const query = await ownerOf(client, flags.owner);
    const revoke = (body: BulkRevocation) => (dryRun: boolean) =>
      client.revokeAccessTokens({ query, body: { ...body, dryRun } });
    if (selectors.length === 0) {
      // The tokens that `tokens list` shows with these flags.
      const tokenType = flags.type === undefined ? { tokenType: 'pat' as const } : {};
      await revokeAll(revoke({ filter: { ...filter, ...tokenType } }), true, flags);
      return;
    }
    // All tokens are found before any is revoked, so a misspelt name changes nothing. A named token may be the one in use.
    const ids = (await findTokens(client, selectors, query)).map(({ id }) => id);
    await revokeAll(revoke({ ids, excludeCurrent: false }), ids.length > 1, flags);
    if (profile !== undefined && ids.includes(profile.tokenId) && flags.dryRun !== true) {
      note(`latchkey: this has revoked the login of profile ${profile.name}`);
    }
  });
}

/** Revokes the tokens in one transaction, after asking if they may be several. */
async function revokeAll(revoke: Revoke, several: boolean, flags: RevokeFlags): Promise<void> {
  if (several && flags.yes !== true && flags.dryRun !== true) {
    if (!canAsk()) throw new WrongUse('this may revoke several tokens: use --yes, or --dry-run to list them');
    const found = await revoke(true);
    if (found.revokedCount === 0) throw new Rejected('no token matches');
    listFound(found, note);
    const reply = await ask(`revoke ${counted(found)} for good? [y/N] `, '');
    if (!/^y(es)?$/i.test(reply.trim())) throw new Rejected('nothing was revoked');
  }
  const revoked = await revoke(flags.dryRun === true);
  if (flags.json === true) {
    print(toJson(revoked));
    return;
  }
  listFound(revoked, print);
  print(`${revoked.dryRun ? 'would revoke' : 'revoked'} ${counted(revoked)}`);
}

function counted({ revokedCount }: BulkRevoked): string {
  if (revokedCount === 0) return 'no token: none was left';
  return revokedCount === 1 ? '1 token' : `${String(revokedCount)} tokens`;
}

function listFound({ tokens, revokedCount }: BulkRevoked, say: (line: string) => void): void {
  for (const { tokenPrefix, name } of tokens.slice(0, MOST_NAMED)) say(`${visible(tokenPrefix)}  ${visible(name)}`);
  const more = revokedCount - MOST_NAMED;
  if (more > 0) say(`and ${String(more)} more`);
}
