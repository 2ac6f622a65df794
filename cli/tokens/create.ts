import { type RemoteFlags, withConnection } from '../account/connection.js';
import type { Lifetime } from '../account/flags.js';
import { relative } from '../output/moment.js';
import { visible } from '../output/text.js';
import { type IssuingFlags, printIssued } from './issued.js';

export interface CreateFlags extends RemoteFlags, IssuingFlags {
  expiresIn?: Lifetime;
  description?: string;
  metadata?: Record<string, string>;
  scope?: string[] | false;
}

export async function createToken(name: string, flags: CreateFlags): Promise<void> {
  const { expiresIn, description, metadata, scope } = flags;
  await withConnection(flags, async ({ client }) => {
    const issued = await client.createAccessToken({
      body: {
        name,
        ...(expiresIn !== undefined && { expiresInDays: expiresIn === 'never' ? null : expiresIn }),
        ...(description !== undefined && { description }),
        ...(metadata !== undefined && { metadata }),
        ...(scope !== undefined && { scopes: scope || [] }),
      },
    });
    const { token } = issued;
    printIssued(issued, flags, `created ${visible(token.name)} (${token.id}), expires ${relative(token.expiresAt)}`);
  });
}
