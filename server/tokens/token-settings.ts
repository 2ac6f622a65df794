/** The rules of one token, which its row has as JSON. */
interface TokenSettings {
  /** The expiry at which the token is revoked as well, so that nobody revives it; milliseconds since 1970. */
  revokeAtEnd?: number;
}

/** The column `settings` with the wish that the token is revoked when it expires at the instant `end`. */
export function withRevocationAt(settings: string | null, end: number): string {
  return JSON.stringify({ ...parsed(settings), revokeAtEnd: end } satisfies TokenSettings);
}

/** Whether the token is to be revoked at this expiry. An edit or a rotation that gave it another expiry ends the wish. */
export function isRevokedAt(settings: string | null, expiresAt: number): boolean {
  return parsed(settings).revokeAtEnd === expiresAt;
}

function parsed(settings: string | null): TokenSettings {
  return settings === null ? {} : (JSON.parse(settings) as TokenSettings);
}
