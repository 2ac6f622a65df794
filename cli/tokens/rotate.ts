import { type RemoteFlags, withConnection } from '../account/connection.js';
import { writeProfile } from '../account/profiles.js';
import { relative } from '../output/moment.js';
import { visible } from '../output/text.js';
import { findToken } from './find.js';
import { type IssuingFlags, printIssued } from './issued.js';

export interface RotateFlags extends RemoteFlags, IssuingFlags {
  grace?: number;
  expiresIn?: number | null;
}

export async function rotateToken(selector: string, flags: RotateFlags): Promise<void> {
  const { grace, expiresIn } = flags;
  await withConnection(flags, async ({ client, profile }) => {
    const { id } = await findToken(client, selector);
    const issued = await client.rotateAccessToken({
      path: { token_id: id },
      body: {
        ...(grace !== undefined && { gracePeriodSeconds: grace }),
        ...(expiresIn !== undefined && { expiresInDays: expiresIn }),
      },
    });
    // Else this command would be locked out by its own doing.
    if (profile?.tokenId === id) {
      const { name, ...kept } = profile;
      await writeProfile(name, { ...kept, token: issued.plaintext });
    }
    const { name, previousSecret } = issued.token;
    const end = previousSecret === null || !grace ? 'has ended' : `serves until ${relative(previousSecret.validUntil)}`;
    printIssued(issued, flags, `rotated ${visible(name)} (${id}); the earlier secret ${end}`);
  });
}
