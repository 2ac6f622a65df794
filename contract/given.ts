import type { Spec } from './document/model.js';
import { CouldNotRun } from './errors.js';
import type { Secrets } from './http/secrets.js';
import { credentialLabel } from './labels.js';
import type { Identity } from './options.js';

/** What an identity has to authenticate with, as it can be sent. */
export interface Given {
  /** Undefined where none was given; the token itself is then that of the login, if there is one. */
  credential: { token: string; perScheme: Record<string, string> } | undefined;
  login: { username: string; password: string } | undefined;
}

/**
 * Reads what was given: white space at the ends, as a file has it, is no part of a credential. Throws `CouldNotRun` for a
 * security scheme that the document does not have, or that cannot be tried. `prefix` begins the labels of the secrets.
 */
export function readGiven(identity: Identity, { schemes }: Spec, secrets: Secrets, prefix = '$'): Given {
  const { token, credentials, login } = identity;
  for (const name of Object.keys(credentials ?? {})) {
    const scheme = schemes.get(name);
    const known = [...schemes.values()].filter(({ kind }) => kind !== 'unsupported').map((each) => each.name);
    const there = known.length === 0 ? 'it has none that can be tried' : `there are ${known.join(', ')}`;
    if (scheme === undefined) throw new CouldNotRun(`the document has no security scheme ${name}: ${there}`);
    if (scheme.kind === 'unsupported')
      throw new CouldNotRun(`the security scheme ${name} is of a kind that cannot be tried: ${there}`);
  }
  const main = token === undefined ? undefined : trim(token, 'the credential');
  const perScheme = Object.fromEntries(
    Object.entries(credentials ?? {}).map(([name, value]) => [name, trim(value, `the credential of ${name}`)]),
  );
  for (const [name, value] of Object.entries(perScheme)) secrets.add(value, credentialLabel(name, prefix));
  if (main !== undefined) secrets.add(main, credentialLabel(undefined, prefix));
  if (login) secrets.add(login.password, `${prefix}PASSWORD`);
  const isGiven = main !== undefined || credentials !== undefined;
  return {
    credential: isGiven ? { token: main ?? '', perScheme } : undefined,
    login: login && { username: login.username.trim(), password: login.password },
  };
}

function trim(credential: string, what: string): string {
  const trimmed = credential.trim();
  if (trimmed === '') throw new CouldNotRun(`${what} is empty`);
  // Node refuses to send them, whatever the request is.
  if (/[^\t\x20-\x7E\x80-\xFF]/.test(trimmed)) throw new CouldNotRun(`${what} has characters that no header can carry`);
  return trimmed;
}
