import type { AccessToken, TokenState } from '../../client/index.js';
import { DAY } from './times.js';

/** The states in the order of their chips. */
export const STATES: readonly TokenState[] = ['active', 'expiring', 'expired', 'disabled', 'revoked'];

/** The one state to show for a token: what matters most, as the service defines it. */
export function stateOf({ revokedAt, disabled, expiresAt }: AccessToken, now: number = Date.now()): TokenState {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return 'expired';
  if (disabled) return 'disabled';
  return expiresAt !== null && Date.parse(expiresAt) <= now + 7 * DAY ? 'expiring' : 'active';
}
