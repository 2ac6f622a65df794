import { isSecretHeader } from './document/names.js';

// Labels replace secrets in reports and commands. Each is a shell variable that the reader can set.

/** The label of a header that may contain a credential, such as `$X_GATEWAY_KEY`; undefined for any other header. */
export function headerLabel(name: string): string | undefined {
  return isSecretHeader(name) ? `$${name.toUpperCase().replace(/\W/g, '_')}` : undefined;
}

/**
 * The label of the credential of a security scheme, such as `$TOKEN_KEY`, or of the credential for all schemes,
 * `$TOKEN`. `prefix` distinguishes identities.
 */
export function credentialLabel(scheme?: string, prefix = '$'): string {
  return scheme === undefined ? `${prefix}TOKEN` : `${prefix}TOKEN_${scheme.toUpperCase().replace(/\W+/g, '_')}`;
}

/** The prefix for labels of another identity's credentials. */
export const OTHER = '$OTHER_';
