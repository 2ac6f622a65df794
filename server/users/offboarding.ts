import type { Deps } from '../deps.js';

/** What happens with the personal access tokens of a user who is offboarded. */
export interface OffboardingWish {
  /** The user who gets the tokens; null to revoke them. */
  toId: number | null;
  /** Whether tokens that move lose the scopes that the new owner may not have. */
  cutScopes: boolean;
  dryRun: boolean;
  /** Whether the last enabled administrator can be offboarded too. */
  force?: boolean;
}

/** How many sessions and personal access tokens an offboarding reached. */
export interface Offboarded {
  sessions: number;
  revoked: number;
  transferred: number;
  /** How many of those that were transferred lost scopes. */
  cut: number;
  /** Services that the user managed, and that no enabled person manages any more. */
  unmanaged: number;
}

export type OffboardingDeps = Pick<Deps, 'db' | 'now'> & { config: Pick<Deps['config'], 'maxTokensPerOwner'> };
