import type { TokenType } from '../database/index.js';
import type { Digest } from './plaintext.js';

/** How a credential was sent, by the names of the contract's security schemes. */
export type AuthMethod = 'bearer' | 'apiKey' | 'cookie' | 'basic';

/**
 * `newest`: the token's newest secret. `earlier`: an earlier one in its grace period. `ended`: one whose grace period is
 * over; its caller may only repeat the request that ended it.
 */
export type SecretState = 'newest' | 'earlier' | 'ended';

/** The key of an owner's tokens. */
export interface OwnerKey {
  organizationId: number;
  ownerId: number;
}

/** The authenticated sender of a request, with the key of the token's owner. */
export interface Caller extends OwnerKey {
  tokenId: number;
  tokenUuid: string;
  /** The digest of the secret that was sent. */
  secretDigest: Digest;
  tokenType: TokenType;
  /** Whether the token has this scope. */
  holds(scope: string): boolean;
  /** When the secret that was sent expires, in milliseconds since 1970; null for never. */
  expiresAt: number | null;
  /** How the token was sent; the first way, if it was sent in several. */
  authMethod: AuthMethod;
  /** Whether the token was sent as the cookie, alone or besides another way. */
  hasCookie: boolean;
  /** The state of the secret that was sent. */
  secret: SecretState;
  /** Derives a key of 32 bytes from the secret and `salt`. */
  deriveKey(salt: string): Uint8Array;
}
