import { type RemoteFlags, withConnection } from '../account/connection.js';
import { Refused, WrongUse } from '../failure.js';
import { note, print } from '../output/print.js';
import { toJson, visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import { findTokens } from './find.js';

export interface RevokeFlags extends RemoteFlags {
  yes?: boolean;
}

export async function revokeTokens(selectors: readonly string[], flags: RevokeFlags): Promise<void> {
  await withConnection(flags, async ({ client, profile }) => {
    // All are found before the first is revoked: a misspelt one changes nothing.
    const tokens = await findTokens(client, selectors);
    if (tokens.length > 1 && flags.yes !== true) {
      if (!canAsk())
        throw new WrongUse(`these are ${String(tokens.length)} tokens: say --yes where nobody can be asked`);
      for (const { name, tokenPrefix } of tokens) note(`  ${tokenPrefix}  ${visible(name)}`);
      const answer = await ask(`revoke these ${String(tokens.length)} tokens for good? [y/N] `, '');
      if (!/^y(es)?$/i.test(answer.trim())) throw new Refused('nothing is revoked');
    }
    // The one in use comes last: after it nothing else could be.
    const inUse = profile?.tokenId ?? (await client.getCurrentAccessToken()).id;
    const ordered = [...tokens.filter(({ id }) => id !== inUse), ...tokens.filter(({ id }) => id === inUse)];
    for (const { id, name, tokenPrefix } of ordered) {
      await client.revokeAccessToken({ path: { token_id: id } });
      if (flags.json !== true) print(`revoked ${visible(name)} (${tokenPrefix})`);
    }
    if (flags.json === true) print(toJson({ revoked: ordered.map(({ id }) => id) }));
    if (tokens.some(({ id }) => id === inUse)) note('latchkey: that was the token in use; it opens nothing any more');
  });
}
