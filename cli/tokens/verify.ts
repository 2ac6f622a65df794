import type { Verification } from '../../client/index.js';
import { type RemoteFlags, withConnection } from '../account/connection.js';
import { readSecret } from '../account/secret.js';
import { userName } from '../account/user-name.js';
import { Rejected, WrongUse } from '../failure.js';
import { lookOf } from '../output/look.js';
import { relative } from '../output/moment.js';
import { print } from '../output/print.js';
import { toJson, visible } from '../output/text.js';

export interface VerifyFlags extends RemoteFlags {
  scope?: string[];
  quiet?: boolean;
}

/** Sets the exit code: 0 for a valid token, 1 for an invalid one. Without a verdict this rejects. */
export async function verifyToken(flags: VerifyFlags): Promise<void> {
  const token = await readSecret('token: ', 'token');
  const verification = await verify(token, flags);
  if (flags.json === true) print(toJson(verification));
  else if (flags.quiet !== true) print(describe(verification, flags));
  process.exitCode = verification.valid ? 0 : 1;
}

async function verify(token: string, flags: VerifyFlags): Promise<Verification> {
  try {
    return await withConnection(flags, ({ client }) =>
      client.verifyAccessToken({ body: { token, ...(flags.scope !== undefined && { scopes: flags.scope }) } }),
    );
  } catch (error) {
    // The service rejected the caller, which must not look like a verdict on the token.
    throw error instanceof Rejected ? new WrongUse(error.message) : error;
  }
}

function describe({ valid, code, token, owner }: Verification, flags: VerifyFlags): string {
  const { paint } = lookOf(flags);
  const verdict = paint(valid ? 'green' : 'red', visible(code));
  if (token === null || owner === null) return verdict;
  const lifetime = `expires ${relative(token.expiresAt)}`;
  return `${verdict}  ${visible(token.name)} (${visible(token.tokenPrefix)}) of ${visible(userName(owner))}${valid ? `, ${lifetime}` : ''}`;
}
