import type { Spec } from './document/model.js';
import { CouldNotRun } from './errors.js';
import type { Secrets } from './http/secrets.js';
import { credentialLabel } from './labels.js';
import type { Identity } from './options.js';

/** The credentials of an identity, ready to be sent. */
export interface Given {
  /** Undefined if none was given: the run then logs in, if `login` is defined. */
  credential: { token: string; perScheme: Record<string, string> } | undefined;
  login: { username: string; password: string } | undefined;
}

/**
 * Reads the credentials of an identity, and strips white space at their ends. Adds them to `secrets`, with labels that
 * begin with `prefix`. Throws `CouldNotRun` if a credential is empty or cannot be sent, or if its security scheme is
 * unknown or not supported.
 */
export function readGiven(identity: Identity, { schemes }: Spec, secrets: Secrets, prefix = '$'): Given {
  const { token, credentials, login } = identity;
  for (const name of Object.keys(credentials ?? {})) {
    const scheme = schemes.get(name);
    const known = [...schemes.values()].filter(({ kind }) => kind !== 'unsupported').map((each) => each.name);
    const there = known.length === 0 ? 'it has no supported one' : `it has ${known.join(', ')}`;
    if (scheme === undefined) throw new CouldNotRun(`the document has no security scheme ${name}: ${there}`);
    if (scheme.kind === 'unsupported')
      throw new CouldNotRun(`the contract tests do not support the kind of security scheme ${name}: ${there}`);
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
  // Node sends no header with other characters.
  if (/[^\t\x20-\x7E\x80-\xFF]/.test(trimmed))
    throw new CouldNotRun(`${what} contains characters that a header cannot contain`);
  return trimmed;
}
