import { isSecretHeader } from './document/names.js';

// What stands for a secret in reports and commands: a variable of the shell, for its reader to set.

/** The variable of a header that opens something, such as `$X_GATEWAY_KEY`; undefined of any other. */
export function headerLabel(name: string): string | undefined {
  return isSecretHeader(name) ? `$${name.toUpperCase().replace(/\W/g, '_')}` : undefined;
}

/** The variable of the credential of a security scheme, or of the one for all schemes; `prefix` tells identities apart. */
export function credentialLabel(scheme?: string, prefix = '$'): string {
  return scheme === undefined ? `${prefix}TOKEN` : `${prefix}TOKEN_${scheme.toUpperCase().replace(/\W+/g, '_')}`;
}

/** The prefix of what a second identity authenticates with. */
export const OTHER = '$OTHER_';
