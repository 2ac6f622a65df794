import type { TokenType } from '../database/index.js';
import type { Digest } from './plaintext.js';

/** How a credential was sent, by the names of the contract's security schemes. */
export type AuthMethod = 'bearer' | 'apiKey' | 'cookie' | 'basic';

/**
 * A token's newest secret; an earlier one in its grace period; or one whose grace period is over, whose caller gets the
 * answer to a request that it repeats, and nothing else.
 */
export type SecretState = 'newest' | 'earlier' | 'ended';

/** Who sends a request, by the token that it carries. */
export interface Caller {
  ownerId: number;
  tokenId: number;
  tokenUuid: string;
  /** Of the secret that was sent. */
  secretDigest: Digest;
  tokenType: TokenType;
  /** Whether the token may do what this scope allows. */
  holds(scope: string): boolean;
  /** When the secret that was sent ends, in milliseconds since 1970; null for never. */
  expiresAt: number | null;
  /** The first of the ways in which the token was sent. */
  authMethod: AuthMethod;
  /** Whether it came as the cookie too, or as nothing else. */
  hasCookie: boolean;
  /** Which of its token's secrets was sent. */
  secret: SecretState;
  /** 32 bytes that only who knows the secret and `salt` can make. */
  deriveKey(salt: string): Uint8Array;
}
