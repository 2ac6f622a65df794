import type { AccessToken as WireToken } from '../../generated/types.gen.js';
import { toInstant, toInstantOrNull } from '../instants.js';
import type { AccessToken } from '../tokens/token.js';

/** A token as the access token API states it. */
export function toWireToken(token: AccessToken): WireToken {
  const { previousSecret } = token;
  return {
    id: token.uuid,
    name: token.name,
    description: token.description,
    metadata: token.metadata,
    scopes: token.scopes,
    tokenPrefix: token.prefix,
    tokenType: token.type,
    createdAt: toInstant(token.createdAt),
    expiresAt: toInstantOrNull(token.expiresAt),
    lastUsedAt: toInstantOrNull(token.lastUsedAt),
    revokedAt: toInstantOrNull(token.revokedAt),
    disabled: token.disabledAt !== null,
    previousSecret: previousSecret && {
      tokenPrefix: previousSecret.prefix,
      validUntil: toInstant(previousSecret.validUntil),
      lastUsedAt: toInstantOrNull(previousSecret.lastUsedAt),
    },
  };
}
