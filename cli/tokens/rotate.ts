import { type RemoteFlags, withConnection } from '../account/connection.js';
import type { Lifetime } from '../account/flags.js';
import { changeProfile } from '../account/profiles.js';
import { relative } from '../output/moment.js';
import { requireOutput } from '../output/print.js';
import { visible } from '../output/text.js';
import { findToken } from './find.js';
import { type IssuingFlags, printIssued } from './issued.js';
import { type OwnerFlags, ownerQuery } from './owner.js';

export interface RotateFlags extends RemoteFlags, IssuingFlags, OwnerFlags {
  grace?: number;
  expiresIn?: Lifetime;
}

export async function rotateToken(selector: string, flags: RotateFlags): Promise<void> {
  const { grace, expiresIn } = flags;
  requireOutput();
  await withConnection(flags, async ({ client, profile }) => {
    const query = await ownerQuery(client, flags);
    const { id } = await findToken(client, selector, query);
    const issued = await client.rotateAccessToken({
      path: { token_id: id },
      query,
      body: {
        ...(grace !== undefined && { gracePeriodSeconds: grace }),
        ...(expiresIn !== undefined && { expiresInDays: expiresIn === 'never' ? null : expiresIn }),
      },
    });
    // Otherwise the profile would keep a secret that is no longer valid.
    const isProfiles = profile?.tokenId === id;
    if (isProfiles) {
      await changeProfile(profile.name, (kept) =>
        Promise.resolve(kept?.tokenId === id ? { ...kept, token: issued.plaintext } : kept),
      );
    }
    const { name, previousSecret } = issued.token;
    const end = previousSecret === null || !grace ? 'has ended' : `ends ${relative(previousSecret.validUntil)}`;
    const said = `rotated ${visible(name)} (${visible(id)}); the earlier secret ${end}`;
    const lost = isProfiles
      ? `${said}, and profile ${profile.name} has the new one`
      : `${said}, but the new one was not shown; to make another: latchkey tokens rotate ${visible(id)}`;
    await printIssued(issued, flags, { said, lost });
  });
}
