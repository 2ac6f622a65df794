import { type IssuedAccessToken, type Latchkey, LatchkeyError } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { relative } from '../output/moment.js';
import { requireOutput } from '../output/print.js';
import { visible } from '../output/text.js';
import { chooseGrant, type Grant, type GrantFlags } from './grant.js';
import { type IssuingFlags, isQuiet, printIssued } from './issued.js';
import { type OwnerFlags, type OwnerQuery, ownerQuery } from './owner.js';

export interface CreateFlags extends RemoteFlags, IssuingFlags, GrantFlags, OwnerFlags {
  description?: string;
  metadata?: Record<string, string>;
}

export async function createToken(name: string, flags: CreateFlags): Promise<void> {
  const { description, metadata } = flags;
  requireOutput();
  await withConnection(flags, async ({ client }) => {
    const grant = await chooseGrant(flags, !isQuiet(flags));
    const query = await ownerQuery(client, flags);
    const issued = await create(client, query, grant, {
      name,
      ...(description !== undefined && { description }),
      ...(metadata !== undefined && { metadata }),
    });
    const { id, scopes, expiresAt } = issued.token;
    const named = `${visible(issued.token.name)} (${visible(id)})`;
    const may = scopes.length === 0 ? 'without a scope' : `with ${visible(scopes.join(' '))}`;
    await printIssued(issued, flags, {
      said: `created ${named} ${may}, expires ${relative(expiresAt)}`,
      lost: `created ${named}, but its secret was not shown; to undo it: latchkey tokens revoke ${visible(id)}`,
    });
  });
}

type Description = { name: string; description?: string; metadata?: Record<string, string> };

/** Creates the token. If the service rejects the default lifetime, this leaves the lifetime to the service. */
async function create(
  client: Latchkey,
  query: OwnerQuery,
  grant: Grant,
  description: Description,
): Promise<IssuedAccessToken> {
  const { scopes, lifetime, isChosen } = grant;
  const body = { ...description, ...(scopes !== 'all' && { scopes }) };
  try {
    return await client.createAccessToken({
      query,
      body: { ...body, expiresInDays: lifetime === 'never' ? null : lifetime },
    });
  } catch (error) {
    const isTooLong =
      error instanceof LatchkeyError &&
      error.code === 'invalid_input' &&
      error.problems.every(({ field }) => field === 'expiresInDays');
    if (isChosen || !isTooLong) throw error;
    return await client.createAccessToken({ query, body });
  }
}
