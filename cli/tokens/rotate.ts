import { type RemoteFlags, withConnection } from '../account/connection.js';
import type { Lifetime } from '../account/flags.js';
import { changeProfile } from '../account/profiles.js';
import { relative } from '../output/moment.js';
import { visible } from '../output/text.js';
import { findToken } from './find.js';
import { type IssuingFlags, printIssued } from './issued.js';

export interface RotateFlags extends RemoteFlags, IssuingFlags {
  grace?: number;
  expiresIn?: Lifetime;
}

export async function rotateToken(selector: string, flags: RotateFlags): Promise<void> {
  const { grace, expiresIn } = flags;
  await withConnection(flags, async ({ client, profile }) => {
    const { id } = await findToken(client, selector);
    const issued = await client.rotateAccessToken({
      path: { token_id: id },
      body: {
        ...(grace !== undefined && { gracePeriodSeconds: grace }),
        ...(expiresIn !== undefined && { expiresInDays: expiresIn === 'never' ? null : expiresIn }),
      },
    });
    // Else this command would be locked out by its own doing.
    if (profile?.tokenId === id) {
      await changeProfile(profile.name, (kept) =>
        Promise.resolve(kept?.tokenId === id ? { ...kept, token: issued.plaintext } : kept),
      );
    }
    const { name, previousSecret } = issued.token;
    const end = previousSecret === null || !grace ? 'has ended' : `ends ${relative(previousSecret.validUntil)}`;
    printIssued(issued, flags, `rotated ${visible(name)} (${id}); the earlier secret ${end}`);
  });
}
