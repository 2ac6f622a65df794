import type { AccessToken, AccessTokenEdit } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import type { Lifetime } from '../account/flags.js';
import { WrongUse } from '../failure.js';
import { findToken } from './find.js';
import { type OwnerFlags, ownerQuery } from './owner.js';
import { printToken } from './show.js';

export interface EditFlags extends RemoteFlags, OwnerFlags {
  name?: string;
  description?: string;
  metadata?: Record<string, string>;
  unsetMetadata?: string[];
  scope?: string[] | false;
  expiresIn?: Lifetime;
  disable?: boolean;
  enable?: boolean;
}

export async function editToken(selector: string, flags: EditFlags): Promise<void> {
  if (Object.keys(editOf(flags)).length === 0)
    throw new WrongUse('give at least one change: see latchkey tokens edit --help');
  await withConnection(flags, async ({ client }) => {
    const query = await ownerQuery(client, flags);
    const { id } = await findToken(client, selector, query);
    const path = { token_id: id };
    const { data: token, headers } = await client.getAccessToken({ path, query }).withResponse();
    // `If-Match` prevents overwriting another change made since the token was read.
    const edited = await client.updateAccessToken({
      path,
      query,
      body: editOf(flags, token),
      headers: { 'If-Match': headers.get('ETag') ?? '*' },
    });
    printToken(edited, flags);
  });
}

/** Builds the edit. The service replaces all metadata, so the entries of `token` that stay are sent too. */
function editOf(flags: EditFlags, token?: AccessToken): AccessTokenEdit {
  const { name, description, metadata, unsetMetadata, scope, expiresIn, disable, enable } = flags;
  const kept = Object.entries({ ...token?.metadata, ...metadata }).filter(([key]) => !unsetMetadata?.includes(key));
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...((metadata !== undefined || unsetMetadata !== undefined) && { metadata: Object.fromEntries(kept) }),
    ...(scope !== undefined && { scopes: scope || [] }),
    ...(expiresIn !== undefined && { expiresInDays: expiresIn === 'never' ? null : expiresIn }),
    ...((disable === true || enable === true) && { disabled: disable === true }),
  };
}
