import type { AccessToken } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { lookOf } from '../output/look.js';
import { print } from '../output/print.js';
import { fields } from '../output/table.js';
import { toJson } from '../output/text.js';
import { membersOf } from './describe.js';
import { findToken } from './find.js';
import { type OwnerFlags, ownerQuery } from './owner.js';

export type ShowFlags = RemoteFlags & OwnerFlags;

export async function showToken(selector: string, flags: ShowFlags): Promise<void> {
  await withConnection(flags, async ({ client }) => {
    printToken(await findToken(client, selector, await ownerQuery(client, flags)), flags);
  });
}

export function printToken(token: AccessToken, flags: RemoteFlags): void {
  const look = lookOf(flags);
  print(flags.json === true ? toJson(token) : fields(membersOf(token, look), look));
}
